"""A real pgbouncer in transaction mode, as Supabase and many others put before PostgreSQL."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from integration.postgres import free_port, unprivileged_user, wait_until_it_answers

BINARY = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")


@contextmanager
def transaction_pooler(server_url: str, server_connections: int) -> Iterator[str]:
    """The URL of the same database behind a pooler that hands a connection out for one transaction only."""
    assert BINARY is not None
    server = urlsplit(server_url)
    user, password, port = unquote(server.username or ""), unquote(server.password or ""), free_port()
    folder = Path(tempfile.mkdtemp(prefix="netvitals-pgbouncer-"))
    (folder / "users").write_text(f'"{user}" "{password}"\n')
    (folder / "ini").write_text(
        "[databases]\n"
        f"* = host={server.hostname} port={server.port}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {folder}/users\n"
        f"pool_mode = transaction\ndefault_pool_size = {server_connections}\n"
        f"logfile = {folder}/log\n"
    )
    account = unprivileged_user()
    if account is not None:
        for path in (folder, folder / "users", folder / "ini"):
            shutil.chown(path, account)
    process = subprocess.Popen([BINARY, "-q", folder / "ini"], user=account)
    url = urlunsplit(server._replace(netloc=f"{server.netloc.rpartition('@')[0]}@127.0.0.1:{port}"))
    try:
        wait_until_it_answers(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
