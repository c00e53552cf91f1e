"""The MCP server: its tools, resources and prompts, answered from the warehouse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

import mcp_types as types
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from ..runtime.display.text import escape_json
from ..runtime.errors import UsageError
from .prompts import PROMPTS, PROMPTS_BY_NAME, Prompt
from .request_runner import Reader, Request, RequestRefusedError, RequestRunner
from .resources import MIME_TYPE, RESOURCES, read_resource
from .tool import Tool
from .tools import INSTRUCTIONS, TOOLS, TOOLS_BY_NAME

Context = ServerRequestContext[Any, Any]

READ_RESOURCE = "resources/read"
"""Name of the reading of a resource in the audit log."""

_ANNOTATIONS = types.ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_MAX_CLIENT_CHARACTERS = 200


def build_server(readers: Mapping[str, Reader], anonymous: Reader | None, runner: RequestRunner) -> Server[Any]:
    """Return the server, which a transport then serves.

    Args:
        readers: Who may ask over HTTP, by the name of the token.
        anonymous: Who asks without a token; None if a token is needed.
        runner: Runs and logs requests.
    """
    handlers = _Handlers(readers, anonymous, runner)
    return Server(
        "gong-elt",
        version=version("gong-elt"),
        title="Gong calls",
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_resource_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )


class _Handlers:
    """Handlers of the protocol's requests."""

    def __init__(self, readers: Mapping[str, Reader], anonymous: Reader | None, runner: RequestRunner) -> None:
        self._readers = readers
        self._anonymous = anonymous
        self._runner = runner

    async def list_tools(self, context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """List the tools that the reader may use."""
        reader = self._find_reader(context)
        return types.ListToolsResult(tools=[_describe_tool(tool) for tool in TOOLS if _is_allowed(reader, tool)])

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Call a tool; an error is an answer that the model reads."""
        request = self._request(context, params.name, params.arguments or {})
        try:
            answer = await self._runner.run(request, partial(_call_tool, request), partial(_count_rows, params.name))
        except RequestRefusedError as error:
            return types.CallToolResult(content=[types.TextContent(type="text", text=str(error))], is_error=True)
        text = escape_json(json.dumps(answer, ensure_ascii=False))
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)], structured_content=json.loads(text)
        )

    async def list_resources(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """List the resources without a parameter."""
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=resource.uri, name=resource.name, description=resource.description, mime_type=MIME_TYPE
                )
                for resource in RESOURCES
                if not resource.is_template
            ]
        )

    async def list_resource_templates(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """List the resources with a parameter."""
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=resource.uri, name=resource.name, description=resource.description, mime_type=MIME_TYPE
                )
                for resource in RESOURCES
                if resource.is_template
            ]
        )

    async def read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Read a resource."""
        uri = str(params.uri)
        request = self._request(context, READ_RESOURCE, {"uri": uri})
        try:
            text = await self._runner.run(request, partial(read_resource, request.reader.evidence, uri))
        except RequestRefusedError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=str(error)) from error
        return types.ReadResourceResult(
            contents=[types.TextResourceContents(uri=params.uri, text=text, mime_type=MIME_TYPE)]
        )

    async def list_prompts(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        """List the prompts."""
        return types.ListPromptsResult(prompts=[_describe_prompt(prompt) for prompt in PROMPTS])

    async def get_prompt(self, _context: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """Return a prompt with its argument."""
        prompt = PROMPTS_BY_NAME.get(params.name)
        try:
            if prompt is None:
                raise UsageError(f"unknown prompt {params.name[:100]!r}: use one of {', '.join(PROMPTS_BY_NAME)}")
            text = prompt.format(params.arguments or {})
        except UsageError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=str(error)) from error
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
        return types.GetPromptResult(description=prompt.description, messages=[message])

    def _find_reader(self, context: Context) -> Reader:
        """Return who sent the request."""
        user = None if context.request is None else context.request.scope.get("user")
        if isinstance(user, AuthenticatedUser):
            return self._readers[user.access_token.client_id]
        if self._anonymous is None:
            raise MCPError(code=types.INVALID_REQUEST, message="a token is needed")
        return self._anonymous

    def _request(self, context: Context, operation: str, arguments: Mapping[str, object]) -> Request:
        client = context.session.client_params
        name = f"{client.client_info.name} {client.client_info.version}".strip() if client else None
        return Request(self._find_reader(context), name and name[:_MAX_CLIENT_CHARACTERS], operation, arguments)


def _call_tool(request: Request) -> dict[str, Any]:
    """Return the answer of a tool.

    Raises:
        UsageError: If the tool is unknown or not allowed, or an argument is invalid.
    """
    tool = TOOLS_BY_NAME.get(request.operation)
    if tool is None:
        raise UsageError(f"unknown tool {request.operation[:100]!r}: use one of {', '.join(TOOLS_BY_NAME)}")
    method: Callable[..., dict[str, Any]] = getattr(request.reader.evidence, tool.name)
    return method(**tool.parse_arguments(request.arguments))


def _count_rows(tool: str, answer: Mapping[str, Any]) -> int:
    return TOOLS_BY_NAME[tool].count_rows(answer)


def _is_allowed(reader: Reader, tool: Tool) -> bool:
    policy = reader.evidence.policy
    return {"query": policy.allow_query, "transcripts": policy.allow_transcripts, None: True}[tool.right]


def _describe_tool(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema(),
        output_schema=tool.output_schema(),
        annotations=_ANNOTATIONS,
    )


def _describe_prompt(prompt: Prompt) -> types.Prompt:
    argument = prompt.argument and types.PromptArgument(
        name=prompt.argument, description=prompt.argument_description, required=True
    )
    return types.Prompt(
        name=prompt.name,
        title=prompt.title,
        description=prompt.description,
        arguments=[argument] if argument else [],
    )
