# Les commandes de Passerelle. Tout s'installe tout seul, dans .venv et nlu/.venv.
PYTHON ?= python3
APP := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: run test load train chat questions bench communes lock clean help install install-dev

run: install ## démarre tout, sur http://127.0.0.1:8080 (PASSERELLE_PORT=8081 pour un autre port)
	@$(APP) -m deploy.run

test: install-dev ## vérifie tout : style, types, fichiers de Rasa, tests
	$(APP) -m ruff check && $(APP) -m ruff format --check && $(APP) -m mypy
	$(APP) -m deploy.validate
	$(APP) -m pytest -n 2 --no-loadscope-reorder $(TESTS)

load: install-dev ## charge Telegram : 300 personnes, 20 arrêts brutaux, une minute sans réseau (7 minutes)
	PASSERELLE_TESTS=full $(APP) -m pytest -s tests/conversations/test_telegram_load.py

train: install ## apprend le modèle de langue, s'il n'est pas à jour
	@$(APP) -m deploy.train

chat: install ## converse dans le terminal
	@$(APP) -m bot.terminal

questions: install ## montre ce qui n'a pas été compris ou a déplu (SINCE=7 : depuis 7 jours)
	@$(APP) -m bot.questions $(if $(SINCE),--since $(SINCE))

bench: install-dev ## mesure les réponses (BENCH=--quick : en quelques minutes)
	@$(APP) -m bench $(BENCH)

communes: install ## refait les listes officielles de communes (knowledge/communes/)
	@$(APP) -m deploy.communes

lock: ## refait les verrous des paquets (requirements*.txt)
	@$(PYTHON) deploy/install.py --lock

clean: ## enlève ce qui se refait : environnements, modèles, caches (jamais les données)
	rm -rf .venv nlu/.venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis var/models var/cache
	find . -name __pycache__ -prune -exec rm -rf {} +

help: ## affiche cette aide
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

install:
	@$(PYTHON) deploy/install.py

install-dev:
	@$(PYTHON) deploy/install.py --dev
