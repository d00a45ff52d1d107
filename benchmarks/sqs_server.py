"""An SQS that answers SendMessageBatch after a fixed time, in a process of its own, and counts.

boto3 talks to it as to the real one, so that what boto3 costs is measured, and what SQS costs is not.
Run as `python benchmarks/sqs_server.py DELAY_SECONDS`: prints its port and serves until its input ends.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s"


@contextmanager
def sqs_server(delay: float) -> Iterator[str]:
    """The URL of its endpoint."""
    command = [sys.executable, __file__, str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


async def serve(delay: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                entries = json.loads(await reader.readexactly(length))["Entries"]
                assert len(entries) <= 10
                await asyncio.sleep(delay)
                body = json.dumps(
                    {
                        "Successful": [
                            {"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "x"}
                            for entry in entries
                        ],
                        "Failed": [],
                    }
                ).encode()
                writer.write(ANSWER % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
