"""The one part of a multipart form, as strictly as the simulated Gong takes it."""

from email.parser import BytesParser
from email.policy import HTTP

from pipelines.demo.server.messages.responses import GongError


def form_part(name: str, content_type: str, body: bytes) -> bytes:
    """The bytes of the file that the form's only part holds.

    Raises 415 for what is no multipart/form-data, and 400 for another part, a second one or one that is no file.
    """
    if not content_type.lower().startswith("multipart/form-data"):
        raise GongError(415, "Unsupported Media Type")
    message = BytesParser(policy=HTTP).parsebytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    names = [part.get_param("name", header="content-disposition") for part in parts]
    if names != [name]:
        raise GongError(400, f"{name}: must be the only part of the form")
    if not parts[0].get_filename():
        raise GongError(400, f"{name}: must be a file")
    held = parts[0].get_payload(decode=True)
    assert isinstance(held, bytes)
    return held
