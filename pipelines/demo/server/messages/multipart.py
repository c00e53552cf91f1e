"""Parser for a multipart form with one file."""

from email.parser import BytesParser
from email.policy import HTTP

from pipelines.demo.server.messages.response import GongError


def parse_form_file(field_name: str, content_type: str, body: bytes) -> bytes:
    """Return the content of the only file in a multipart form.

    Raises:
        GongError: 415 if the body is not multipart/form-data; 400 if the form has another part, several parts,
            or a part that is not a file.
    """
    if not content_type.lower().startswith("multipart/form-data"):
        raise GongError(415, "Unsupported Media Type")
    message = BytesParser(policy=HTTP).parsebytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    names = [part.get_param("name", header="content-disposition") for part in parts]
    if names != [field_name]:
        raise GongError(400, f"{field_name}: must be the only part of the form")
    if not parts[0].get_filename():
        raise GongError(400, f"{field_name}: must be a file")
    content = parts[0].get_payload(decode=True)
    assert isinstance(content, bytes)
    return content
