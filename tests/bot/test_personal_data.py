"""What tells who wrote is masked; what tells what was asked stays."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.personal_data import masked


@pytest.mark.parametrize(
    "number",
    [
        "0612345678",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "06/12/34/56/78",
        "06\u00a012\u00a034\u00a056\u00a078",
        "06\u202f12\u202f34\u202f56\u202f78",
        "06 12 34\n56 78",
        "+33612345678",
        "+33 6 12 34 56 78",
        "0033 6 12 34 56 78",
        "213 702 616 00010",
        "21370261600010",
        "1 85 05 37 261 084 36",
        "185053726108436",
    ],
    ids=ascii,
)
def test_long_numbers_are_masked(number: str) -> None:
    assert masked(f"Rappelez le {number}, merci") == "Rappelez le [numéro], merci"


def test_what_stands_before_a_number_does_not_save_it() -> None:
    assert masked("tél:0612345678") == "tél:[numéro]"
    assert masked("FR76 3000 4000 0300 0000 0000 043") == "FR[numéro]"
    assert masked("+33 (0)6 12 34 56 78") == "+33 (0)[numéro]"
    assert masked("n°SIRET213 702 616 00010 ?") == "n°SIRET[numéro] ?"


@pytest.mark.parametrize("date", ["16/02/85", "1/2/85", "3.4.2021", "16-2-1985", "16/02/1985"])
def test_dates_in_figures_are_masked(date: str) -> None:
    text = masked(f"née le {date} à Tours")
    assert text in {"née le [date] à Tours", "née le [numéro] à Tours"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("anne.dupont+mairie@commune.fr", "[adresse]"),
        ("Écrire à anne@commune.fr : merci", "Écrire à [adresse] : merci"),
        ("mailto:anne@commune.fr", "[adresse]"),
        ("anne@localhost", "[adresse]"),
        ("voir https://commune.fr/agents/anne-dupont ?", "voir [lien] ?"),
        ("www.commune.fr/anne est en panne", "[lien] est en panne"),
    ],
)
def test_addresses_of_the_web_are_masked(text: str, wanted: str) -> None:
    assert masked(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("je m'appelle Anne Dupont", "je m'appelle [nom]"),
        ("Je m’appelle Jean-Pierre Lévêque et je cherche", "Je m’appelle [nom] et je cherche"),
        ("je mappelle Anne", "je mappelle [nom]"),
        ("Bonjour, je suis Anne Dupont", "Bonjour, je suis [nom]"),
        ("mon nom est DUPONT", "mon nom est [nom]"),
        ("Nom et prénom : Anne DUPONT", "Nom et prénom : [nom]"),
        ("M. Durand attend", "M. [nom] attend"),
        ("M\u00a0Durand et Mme D'Azay", "M [nom] et Mme [nom]"),
        ("Monsieur Émile Zola demande", "Monsieur [nom] demande"),
        ("Bonjour Madame Durand", "Bonjour Madame [nom]"),
        ("Maître Durand", "Maître [nom]"),
        ("M.\nDurand", "M. [nom]"),
        ("Merci. Cordialement, Anne Dupont", "Merci. Cordialement, [nom]"),
        ("Cordialement\n\nAnne Dupont", "Cordialement [nom]"),
        ("Bien à vous,\nAnne", "Bien à vous, [nom]"),
        ("Merci d’avance, Anne", "Merci d’avance, [nom]"),
        ("signé Anne Dupont", "signé [nom]"),
    ],
)
def test_names_are_masked_after_what_announces_them(text: str, wanted: str) -> None:
    assert masked(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("j'habite 12 rue des Lilas, à Tours", "j'habite [adresse], à Tours"),
        ("12 bis, avenue Jean Jaurès 37000 Tours", "[adresse]"),
        ("au 3 Place de la Mairie. Merci", "au [adresse]. Merci"),
        ("7ter chemin du Moulin\nCombien ?", "[adresse] Combien ?"),
        ("1 lieu-dit Les Bordes", "[adresse]"),
    ],
)
def test_street_addresses_are_masked(text: str, wanted: str) -> None:
    assert masked(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Une subvention de 50 000 € par conseiller, sur 24 mois ?",
        "Plus de 500 000 habitants, 297 000 € en Indre-et-Loire, 100 % du coût ?",
        "35 postes, 88 millions d'euros, jusqu'à fin 2022, le 16 février 2021",
        "Et l'axe 3, les volets 3A, 3B et 3C ?",
        "C'est quoi, Aidants Connect ?",
        "Le conseiller numérique France Services de Tours Métropole",
        "France Relance, l'ANCT et la DINUM en Indre-et-Loire",
        "Je suis maire d'une commune de 1 200 habitants",
        "je suis à la mairie, ici c'est petit",
        "Bonjour Monsieur le Maire, Madame la Préfète",
        "Bonjour monsieur, merci d'avance pour la commune",
        "Cordialement",
        "Que finance la place de marché ? et la route numérique ?",
        "Peut-on payer un site en .fr @ la mairie ?",
    ],
)
def test_figures_and_names_of_our_subjects_stay(text: str) -> None:
    assert masked(text) == text


def test_several_are_masked_together_and_on_one_line() -> None:
    text = (
        "Bonjour,\n\nje m'appelle Anne Dupont (anne@commune.fr).\nCombien pour 500 habitants ?\n"
        "Répondez au 06 12 34 56 78 ou 3 rue du Puits, 37000 Tours.\n\nCordialement,\nM. Durand"
    )
    assert masked(text) == (
        "Bonjour, je m'appelle [nom] [adresse] Combien pour 500 habitants ? "
        "Répondez au [numéro] ou [adresse], 37000 Tours. Cordialement, M. [nom]"
    )


# fmt: off
PIECES = st.sampled_from([
    "06", "12", "2021", "345678", "1234567", ",", ".", ":", "-", "/", "+", "@", "?", "'", "(", "[",
    "M.", "Mme", "Monsieur", "Le", "le", "je suis", "ici", "nom :", "Cordialement", "É", "Anne",
    "Jean-Pierre", "bis", "rue", "avenue", "place de la", "www.", "https://", "x", "[nom]",
    "[numéro]", "", "\n", "\u00a0", "\u202f",
])
# fmt: on


@settings(deadline=None, max_examples=300)
@given(
    st.builds(str.join, st.sampled_from(["", " ", "\n"]), st.lists(PIECES, max_size=14)) | st.text()
)
@example("06 12\u202f34\n56 78")
@example("M.\nDupont, 3\nrue x")
def test_masking_twice_is_masking_once(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert once == " ".join(once.split())
