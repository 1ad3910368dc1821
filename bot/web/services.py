"""How a route asks for the parts of the bot that it works with."""

from typing import Annotated

from fastapi import Depends, Request

from bot.services import Services


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


FromServices = Annotated[Services, Depends(_services)]
