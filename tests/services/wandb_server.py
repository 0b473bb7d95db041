"""A W&B server on loopback that keeps what it is sent: enough for runs, `wandb sync` and reports.

    with wandb_server() as server: ...      server.environment is what a client needs

It answers the GraphQL of a run's start and of its files, and keeps a run's history as the real one
does: lines stand where the client's offset puts them, and a run that is there already is told so.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

WHO = {"id": "u", "entity": "me", "username": "me", "email": "", "flags": "{}"}
PROJECT = {"id": "p", "name": "created-equal", "entity": {"id": "e", "name": "me"}}


@dataclass
class Received:
    """What the server has of one run; `starts` are the client's calls that open it."""

    starts: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    preempted: bool = False
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def history(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    @property
    def config(self) -> dict[str, Any]:
        told = [json.loads(start["config"]) for start in self.starts if start["config"]]
        return {name: item["value"] for name, item in told[-1].items()}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.runs: dict[str, Received] = {}
        self.views: list[dict[str, Any]] = []  # reports

    @property
    def environment(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server_port}"
        return {"WANDB_BASE_URL": url, "WANDB_API_KEY": "a" * 40}

    def answer(self, query: str, told: dict[str, Any]) -> dict[str, Any]:
        url, found = self.environment["WANDB_BASE_URL"], dict[str, Any]()
        if "viewer" in query:
            found["viewer"] = {**WHO, "teams": {"edges": []}}
        if "serverInfo" in query:
            found["serverInfo"] = {"features": []}
        if "RunResumeStatus" in query:
            found["model"] = {**PROJECT, "bucket": self.resumed(told["name"])}
        if "upsertBucket" in query:
            self.runs.setdefault(told["name"], Received()).starts.append(told)
            bucket = {"id": "b", "name": told["name"], "project": PROJECT}
            found["upsertBucket"] = {"bucket": bucket, "inserted": True}
        if "createRunFiles" in query:
            at = f"{url}/up/{told['run']}"
            files = [{"name": name, "uploadUrl": f"{at}/{name}"} for name in told["files"]]
            found["createRunFiles"] = {"runID": "b", "uploadHeaders": [], "files": files}
        if "ProjectInternalId" in query:
            found["project"] = {"id": "p", "internalId": "1"}
        if "query GetProjects" in query:
            node = {"__typename": "Project", "id": "p", "name": PROJECT["name"]}
            node |= {
                "entityName": "me",
                "createdAt": "2026-01-01T00:00:00",
                "isBenchmark": False,
                "user": None,
            }
            page = {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}
            found["models"] = {"pageInfo": page, "edges": [{"node": node}]}
        if "upsertView" in query:
            self.views.append(told)
            project = {"id": "p", "name": told["projectName"], "entityName": told["entityName"]}
            view = {"id": "v", "type": told["type"], "name": told["name"], "project": project}
            view |= {k: told[k] for k in ("displayName", "description", "spec")}
            found["upsertView"] = {
                "view": {**view, "updatedAt": "2026-01-01T00:00:00"},
                "inserted": True,
            }
        return {"data": found}

    def resumed(self, name: str) -> dict[str, Any] | None:
        run = self.runs.get(name)
        if run is None:
            return None
        return {
            "id": "b",
            "name": name,
            "historyLineCount": len(run.lines),
            "historyTail": json.dumps(run.lines[-1:]),
            "eventsLineCount": 0,
            "eventsTail": "[]",
            "logLineCount": 0,
            "summaryMetrics": json.dumps(run.summary),
            "config": run.starts[-1]["config"],
            "tags": [],
            "wandbConfig": '{"t": {"1": 1}}',  # without which the client thinks it never started
        }

    def stream(self, name: str, told: dict[str, Any]) -> None:
        run = self.runs[name]
        for file, part in told.get("files", {}).items():
            if file == "wandb-history.jsonl":
                begin, lines = part["offset"], part["content"]
                assert begin <= len(run.lines), "a gap"
                run.lines[begin : begin + len(lines)] = lines
            if file == "wandb-summary.json":
                run.summary = json.loads(part["content"][-1])
        if told.get("complete"):
            run.ends.append(told["exitcode"])
        run.preempted = run.preempted or told.get("preempting", False)


class Answers(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_PUT(self) -> None:
        run, _, file = self.path.removeprefix("/up/").partition("/")
        self.server.runs[run].files[file] = self.body()
        self.say({})

    def do_POST(self) -> None:
        content = self.body()
        if self.path == "/graphql":
            told = json.loads(content)
            self.say(self.server.answer(told["query"], told.get("variables") or {}))
            return
        if self.path.endswith("/file_stream"):
            self.server.stream(self.path.split("/")[4], json.loads(content))
        self.say({})

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def say(self, found: dict[str, Any]) -> None:
        content = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def wandb_server() -> Iterator[Server]:
    server = Server()
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
