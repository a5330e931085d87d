"""A server that finds extension files without their being installed: a copy of its programs beside links to all else."""
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def server_directories():
    """Where this server has its programs, its shared files and its libraries: one folder, or where pg_config says."""
    bindir = pathlib.Path(os.environ.get("EVERCORE_SERVER_BIN", "/nowhere"))
    if (bindir.parent / "share/postgresql").exists() and (bindir.parent / "lib/postgresql").exists():
        return bindir, bindir.parent / "share/postgresql", bindir.parent / "lib"
    return [pathlib.Path(subprocess.check_output(["pg_config", f"--{name}"], text=True).strip()) for name in ("bindir", "sharedir", "pkglibdir")]


def link_all(source, target, but=()):
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.name not in but:
            (target / entry.name).symlink_to(entry)


class Programs:
    """`with Programs() as them:` gives a copy of the server's programs, in the directory them.programs; subclasses say which files it has
    besides."""

    def extension_files(self):
        """Names and contents of files for CREATE EXTENSION."""
        return ()

    def libraries(self):
        """Paths of modules."""
        return ()

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="evercore-ext.")
        root = pathlib.Path(self.home)
        bindir, share, lib = server_directories()
        self.programs, shared, libraries = (root / str(path)[1:] for path in (bindir, share, lib))
        self.programs.mkdir(parents=True)
        for program in ("postgres", "initdb", "pg_ctl"):
            shutil.copy2(bindir / program, self.programs / program)
        link_all(bindir, self.programs, {"postgres", "initdb", "pg_ctl"})
        link_all(share, shared, {"extension"})
        link_all(share / "extension", shared / "extension", {path.name for path in (share / "extension").glob("evercore*")})
        for name, content in self.extension_files():
            (shared / "extension" / name).write_bytes(content)
        link_all(lib, libraries, {"bin"} | {path.name for path in lib.glob("evercore*")})
        for path in self.libraries():
            shutil.copy2(path, libraries / path.name)
        subprocess.run(["chmod", "-R", "a+rX", self.home], check=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home)


class Server(Programs):
    """`with Server() as server:` gives a server of such programs, whose URI is server.uri."""

    def __enter__(self):
        super().__enter__()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EVERCORE_")}
        environment["EVERCORE_SERVER_BIN"] = str(self.programs)
        self.server = subprocess.Popen([ROOT / "tests/postgres/with_server", "sh", "-c", 'echo "$EVERCORE_TEST_POSTGRES"; cat >/dev/null'],
                                       env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.uri = self.server.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.server.stdin.close()
        self.server.wait(60)
        super().__exit__()
