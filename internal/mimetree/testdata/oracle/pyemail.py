"""What Python's email package sees in messages: another reader to be held against.

Reads messages, each behind its length (four octets, big-endian), and writes for each
the number of its leaves, and for each leaf "text" or "file", a name and its decoded
octets, all of them behind their lengths.
"""

import email
import email.policy
import struct
import sys
import warnings

warnings.simplefilter("ignore")
POLICIES = [email.policy.compat32, email.policy.default]


def put(data):
    sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)


def leaves(part, path="0"):
    payload = part.get_payload()
    if isinstance(payload, list):
        for i, child in enumerate(payload):
            yield from leaves(child, f"{path}.{i + 1}")
        return
    try:
        data = part.get_payload(decode=True)
    except Exception:  # a charset that it does not know, for one
        data = None
    if data:
        try:
            name = part.get_filename() or ""
        except Exception:
            name = ""
        shown = not name and part.get_content_maintype() in ("text", "multipart")
        yield b"text" if shown else b"file", str(name).encode("utf-8", "replace"), data


def main():
    read = sys.stdin.buffer.read
    while head := read(4):
        raw = read(struct.unpack(">I", head)[0])
        seen = []
        for policy in POLICIES:
            try:
                found = list(leaves(email.message_from_bytes(raw, policy=policy)))
            except Exception:  # it gives up on the message: nothing is seen
                found = []
            seen += [leaf for leaf in found if leaf not in seen]
        sys.stdout.buffer.write(struct.pack(">I", len(seen)))
        for leaf in seen:
            for field in leaf:
                put(field)


main()
