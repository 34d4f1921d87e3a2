"""For each model of the protocol one whole value, as the JSON that makes it."""

from __future__ import annotations

from typing import Any

_FILE = {"url": "https://x/a", "content_type": "text/plain", "name": "a", "inline_ref": "r", "parsed_content": "words"}
_IDS = {"message_id": "m-1", "user_id": "u-1", "conversation_id": "c-1"}
_MESSAGE = {
    "role": "user",
    "message_type": None,
    "sender_id": None,
    "sender": {"id": "u-1", "name": "Ada"},
    "content": "hi",
    "parameters": {"shape": "3:2"},
    "content_type": "text/markdown",
    "timestamp": 1764000000000000,
    "message_id": "m-0",
    "feedback": [{"type": "like", "reason": None}],
    "attachments": [_FILE],
    "metadata": "stored",
    "referenced_message": {"role": "bot", "content": "earlier"},
    "reactions": [{"user_id": "u-1", "reaction": "heart"}],
}
_CALL_DELTA = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{"}}
_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_RESULT = {"role": "tool", "name": "f", "tool_call_id": "c1", "content": "3"}
_PARAMETERS = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "$defs": {}}
_FUNCTION = {"name": "f", "description": "d", "parameters": _PARAMETERS, "strict": True}
_TOOL = {"type": "function", "function": _FUNCTION}
_PARTIAL = {
    "text": "a",
    "data": {"choices": []},
    "raw_response": "r",
    "full_prompt": "p",
    "request_id": "i",
    "is_suggested_reply": False,
    "is_replace_response": True,
    "attachment": _FILE,
    "tool_calls": [_CALL_DELTA],
    "index": 2,
}
_LABELLED = {"label": "L", "description": "d"}
_TEXT = {**_LABELLED, "control": "text_field", "parameter_name": "greeting", "default_value": "hi", "placeholder": "…"}
_OPTIONS = [{"value": "a", "name": "A"}, {"value": "b", "name": "B"}]
_DROP_DOWN = {
    **_LABELLED,
    "control": "drop_down",
    "parameter_name": "front",
    "default_value": "a",
    "options": _OPTIONS,
}
_SLIDER = {
    **_LABELLED,
    "control": "slider",
    "parameter_name": "detail",
    "default_value": 3,
    "min_value": 1,
    "max_value": 5,
    "step": 1,
}
_SHAPES = [{"width": 3, "height": 2}, {"width": 1, "height": 1, "value": "square"}]
_RATIO = {
    **_LABELLED,
    "control": "aspect_ratio",
    "parameter_name": "shape",
    "default_value": "3:2",
    "options": _SHAPES,
}
_TOGGLE = {**_LABELLED, "control": "toggle_switch", "parameter_name": "stamp", "default_value": True}
_COMPARISON = {"comparator": "ne", "left": {"parameter_name": "front"}, "right": {"literal": "b"}}
_CONDITION = {"control": "condition", "condition": _COMPARISON, "controls": [_RATIO, _SLIDER]}
_TABS = {
    "name": "Card",
    "tabs": [{"name": "Look", "controls": [_DROP_DOWN, _CONDITION]}],
    "collapsed_by_default": False,
}
_FORM = {"api_version": "2", "sections": [_TABS, {"controls": [_TEXT, {"control": "divider"}, _TOGGLE]}]}

EXAMPLES: dict[str, dict[str, Any]] = {
    "AspectRatio": _RATIO,
    "AspectRatioOption": _SHAPES[1],
    "Attachment": _FILE,
    "AttachmentUploadResponse": {"attachment_url": "u", "mime_type": "t", "name": "n", "inline_ref": None},
    "BaseRequest": {"version": "1.2", "type": "settings"},
    "ComparatorCondition": _COMPARISON,
    "ConditionallyRenderControls": _CONDITION,
    "CostItem": {"amount_usd_milli_cents": 1200, "description": "a card"},
    "CustomCallDefinition": {"name": "f", "input": "words"},
    "CustomToolDefinition": {"name": "f", "description": "d", "format": {"type": "grammar"}},
    "DataResponse": {"metadata": "stored"},
    "Divider": {"control": "divider"},
    "DropDown": _DROP_DOWN,
    "ErrorResponse": {**_PARTIAL, "allow_retry": False, "error_type": "user_caused_error"},
    "FunctionCallDefinition": _CALL["function"],
    "FunctionCallDefinitionDelta": _CALL_DELTA["function"],
    "FunctionDefinition": _FUNCTION,
    "LiteralValue": {"literal": 3},
    "MessageFeedback": {"type": "like", "reason": "good"},
    "MessageReaction": {"user_id": "u-1", "reaction": "heart"},
    "MetaResponse": {**_PARTIAL, "linkify": False, "suggested_replies": True, "content_type": "text/plain"},
    "ParameterControl": {**_LABELLED, "control": "of a subclass", "parameter_name": "front"},
    "ParameterControls": _FORM,
    "ParameterValue": {"parameter_name": "front"},
    "ParametersDefinition": _PARAMETERS,
    "PartialResponse": _PARTIAL,
    "ProtocolMessage": _MESSAGE,
    "QueryRequest": {
        "version": "1.2",
        "type": "query",
        "query": [_MESSAGE],
        **_IDS,
        "metadata": "d-1",
        "temperature": 0.5,
        "skip_system_prompt": True,
        "logit_bias": {"a": 1.5},
        "stop_sequences": ["."],
        "language_code": "de",
        "adopt_current_bot_name": True,
        "bot_query_id": "b-1",
        "users": [{"id": "u-1", "name": None}],
        "tools": [_TOOL],
        "tool_calls": [_CALL],
        "tool_results": [_RESULT],
        "query_creation_time": 1,
        "extra_params": {"a": [1]},
    },
    "ReceivedData": {**_PARTIAL, "metadata": "stored"},
    "ReportErrorRequest": {"version": "1", "type": "report_error", "message": "late", "metadata": {"message_id": "m"}},
    "ReportFeedbackRequest": {"version": "1", "type": "report_feedback", **_IDS, "feedback_type": "like"},
    "ReportReactionRequest": {"version": "1", "type": "report_reaction", **_IDS, "reaction": "sad"},
    "Section": _TABS,
    "Sender": {"id": "u-1", "name": "Ada"},
    "SettingsRequest": {"version": "1.2", "type": "settings"},
    "SettingsResponse": {
        "response_version": 2,
        "server_bot_dependencies": {"GPT": 2},
        "allow_attachments": True,
        "introduction_message": "Hello",
        "rate_card": "free",
        "parameter_controls": _FORM,
    },
    "Slider": _SLIDER,
    "Tab": {"name": "Look", "controls": [_DROP_DOWN, _CONDITION]},
    "TextArea": {**_TEXT, "control": "text_area"},
    "TextField": _TEXT,
    "ToggleSwitch": _TOGGLE,
    "ToolCallDefinition": _CALL,
    "ToolCallDefinitionDelta": _CALL_DELTA,
    "ToolDefinition": _TOOL,
    "ToolResultDefinition": _RESULT,
    "User": {"id": "u-1", "name": None},
    "ValueNamePair": _OPTIONS[0],
}
