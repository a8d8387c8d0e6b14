"""One connection of a Python client, played by the tests over pipes: a JSON line on stdin for each step, one on stdout for each result.

While a step runs, the program may ask for the person: `{"ask": "sign_in", "url": ...}` is answered with the address to which the
browser was sent back, `{"ask": "confirm", "question": ...}` with the answer to an elicitation.
"""

import asyncio
import json
import logging
import sys
from importlib.metadata import version
from urllib.parse import parse_qs, urlparse

from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata

REDIRECT = "http://127.0.0.1:45678/callback"
MCP_VERSION = version("mcp")
IS_2 = MCP_VERSION.startswith("2.")


def say(message):
    print(json.dumps(message), flush=True)


async def hear():
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None


async def ask(what, **fields):
    say({"ask": what, **fields})
    return (await hear())["answer"]


class Memory:
    """A token storage; `TokenStorage` of the SDK."""

    tokens = None
    client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info


class Person:
    """Whoever sits in front of the program."""

    async def open_browser(self, url):
        self.back = await ask("sign_in", url=url)

    async def callback(self):
        query = {name: values[0] for name, values in parse_qs(urlparse(self.back).query).items()}
        if IS_2:
            from mcp.shared.auth import AuthorizationCodeResult

            return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))
        return query["code"], query.get("state")

    async def confirm(self, _context, params):
        from mcp.types import ElicitResult

        question = params.model_dump(mode="json", by_alias=True, exclude_none=True)
        return ElicitResult(**await ask("confirm", question=question))


def plain(result):
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


async def step(client, provider, command):
    """Carries out one step with what both generations name alike."""
    match command["do"]:
        case "list":
            lists = [await client.list_tools(), await client.list_resources(), await client.list_prompts()]
            return [plain(entries) for entries in lists]
        case "read":
            return plain(await client.read_resource(command["uri"]))
        case "prompt":
            return plain(await client.get_prompt(command["name"], command["arguments"]))
        case "call":
            return plain(await client.call_tool(command["name"], command["arguments"]))
        case "expire":
            provider.context.token_expiry_time = 1.0
            return {}
        case "tokens":
            context = provider.context
            return {**plain(context.current_tokens), "client_id": context.client_info.client_id}
    raise ValueError(command)


async def serve(client, provider, speaks):
    say({"result": {"speaks": str(speaks)}})
    while (command := await hear()) is not None and command["do"] != "close":
        try:
            say({"result": await step(client, provider, command)})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})
    say({"result": {}})


async def sdk_1(url, provider, person, elicits):
    from mcp.client.session import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    handler = {"elicitation_callback": person.confirm} if elicits else {}
    async with streamablehttp_client(url, auth=provider) as (incoming, outgoing, _):
        async with ClientSession(incoming, outgoing, **handler) as session:
            agreed = await session.initialize()
            await serve(session, provider, agreed.protocolVersion)


async def sdk_2(url, provider, person, elicits, mode):
    import httpx2
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    handler = {"elicitation_callback": person.confirm} if elicits else {}
    async with httpx2.AsyncClient(auth=provider, timeout=30) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode, **handler) as client:
            await serve(client, provider, client.protocol_version)


async def fastmcp(url, provider, person, elicits):
    from fastmcp import Client
    from fastmcp.client.elicitation import ElicitResult
    from fastmcp.client.transports import StreamableHttpTransport

    async def confirm(_message, _type, params, _context):
        return ElicitResult(**await ask("confirm", question=plain(params)))

    class WithNamesOfSdk:
        """FastMCP's methods that return whole results, under the SDK's names."""

        def __init__(self, client):
            self.client = client

        def __getattr__(self, name):
            return getattr(self.client, f"{name}_mcp")

    handler = {"elicitation_handler": confirm} if elicits else {}
    async with Client(StreamableHttpTransport(url, auth=provider), **handler) as client:
        await serve(WithNamesOfSdk(client), provider, client.protocol_version)


async def main():
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    start = await hear()
    person = Person()
    metadata = OAuthClientMetadata(client_name=start["name"], redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    provider = OAuthClientProvider(start["url"], metadata, Memory(), person.open_browser, person.callback)
    match start["program"]:
        case "fastmcp":
            await fastmcp(start["url"], provider, person, start["elicits"])
        case _ if IS_2:
            await sdk_2(start["url"], provider, person, start["elicits"], start.get("mode", "auto"))
        case _:
            await sdk_1(start["url"], provider, person, start["elicits"])


if __name__ == "__main__":
    asyncio.run(main())
