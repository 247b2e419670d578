"""Configures and runs the Modern MISP API (PyPI mmisp-api, SQLite) for tests. Called by mmisp.ts.

It follows MISP's REST API and is not MISP. Ours is the configuration alone, through the package's own models: the usual roles, one
organisation with one user, and a key of that user.
"""
import argparse
import asyncio
import os
import secrets


def settings(folder, port):
    """The package reads them when it is imported."""
    return {
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/misp.db?check_same_thread=False",
        "HASH_SECRET": secrets.token_hex(16),
        "OWN_URL": f"http://127.0.0.1:{port}",
        "ENV_FILE": os.devnull,
        # Neither is there.
        "WORKER_KEY": "none",
        "WORKER_URL": "http://127.0.0.1:9",
        "DASHBOARD_URL": "http://127.0.0.1:9",
    }


async def furnish(key):
    import mmisp.db.all_models  # noqa: F401
    from mmisp.commandline_tool import setup, user as users
    from mmisp.db.database import sessionmanager
    from mmisp.db.models.auth_key import AuthKey
    from mmisp.db.models.organisation import Organisation
    from mmisp.db.models.threat_level import ThreatLevel
    from mmisp.db.models.user import User
    from mmisp.util.crypto import hash_secret
    from sqlalchemy.future import select

    name, mail = "EXCHANGE", "peer@exchange.example"
    empty = dict.fromkeys(("type", "nationality", "sector", "contacts", "landingpage"), "")
    sessionmanager.init()
    await sessionmanager.create_all()
    async with sessionmanager.session() as session:
        await setup.setup(session)
        await setup.add_organisation_if_not_exist(session, Organisation(name=name, local=True, **empty))
        await users.create(session, mail, secrets.token_hex(16), name, "site_admin")
        found = await session.execute(select(User).where(User.email == mail))
        owner = found.scalar_one().id
        start, end = key[:4], key[-4:]
        session.add(
            AuthKey(authkey=hash_secret(key), authkey_start=start, authkey_end=end, user_id=owner, comment="")
        )
        session.add(ThreatLevel(id=4, name="Undefined", description="", form_description=""))
        await session.commit()
    await sessionmanager.close()


def main():
    parser = argparse.ArgumentParser()
    for name in ("--dir", "--port", "--key"):
        parser.add_argument(name, required=True)
    given = parser.parse_args()
    os.environ.update(settings(given.dir, given.port))
    asyncio.run(furnish(given.key))

    import uvicorn
    from mmisp.api.main import app

    uvicorn.run(app, host="127.0.0.1", port=int(given.port), log_level="warning", loop="asyncio", http="h11")


main()
