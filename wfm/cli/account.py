"""`wfm account …`: the first account of a desk, and a way back in."""

from __future__ import annotations

import click

from wfm.words import Role


@click.group()
def account() -> None:
    """Make the first account; let somebody in again.

    Example: wfm account add ada --display-name "Ada Lin" --role administrator
    """


@account.command()
@click.argument("name")
@click.option("--display-name", help="The person's name (default: the account's).")
@click.option("--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]))
@click.option("--email", default="", help="Address a provider of sign-in knows the person by.")
@click.option("--agent", default="", help="Code of the agent the account belongs to.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="Default: WFM_LANGUAGE.")
def add(
    name: str, display_name: str | None, roles: tuple[str, ...], email: str, agent: str,
    language: str | None,
) -> None:  # fmt: skip
    """Make an account with roles for the whole desk; print its first password.

    The person chooses another at the first sign-in. Roles for a team or a site, and everything
    else, are on the page of accounts.

    Example: wfm account add ada --display-name "Ada Lin" --role administrator
    """
    from wfm import instants
    from wfm.access import SYSTEM
    from wfm.cli.database import current_database
    from wfm.db import transaction
    from wfm.services import account_admin
    from wfm.services.account_admin import Person
    from wfm.settings import Settings

    at, person = instants.now(), Person(display_name or name, email, agent)
    with current_database() as engine, transaction(engine) as session:
        made, password = account_admin.make(
            session, SYSTEM, name, person, at, language or Settings.from_environment().language
        )
        assert made.id is not None
        for role in dict.fromkeys(roles):
            account_admin.give_role(session, SYSTEM, made.id, Role(role), None, None, at)
    click.echo(password)
    click.echo(f"this is the first password of {name}; it is shown this once", err=True)


@account.command()
@click.argument("name")
def reset(name: str) -> None:
    """Give an account a new first password and drop its second factor; print the password.

    Example: wfm account reset ada
    """
    from wfm import instants
    from wfm.access import SYSTEM
    from wfm.cli.database import current_database
    from wfm.db import transaction
    from wfm.errors import NotFoundError
    from wfm.services import account_admin, accounts

    at = instants.now()
    with current_database() as engine, transaction(engine) as session:
        found = accounts.named(session, name)
        if found is None or found.id is None:
            raise NotFoundError(f"there is no account {name}")
        account_admin.drop_second_factor(session, SYSTEM, found.id, at)
        password = account_admin.reset_password(session, SYSTEM, found.id, at)
    click.echo(password)
    click.echo(f"this is the first password of {name}; it is shown this once", err=True)
