"""The Random User API's own pages, served from recorded people, and the ways in which an API can misbehave."""
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

HERE = Path(__file__).resolve().parent
RECORDED = HERE.parents[2] / "shared" / "data" / "randomuser"


def people_500():
    with open(HERE / "data" / "people-500.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def people_all():
    """All 20,000 recorded people where that folder is there, else the excerpt."""
    pages = sorted(RECORDED.glob("results-5000-page-*.json.zst"))
    if not pages:
        return people_500()
    people = []
    for page in pages:
        text = subprocess.run(["zstd", "-dc", str(page)], capture_output=True, check=True).stdout
        people += json.loads(text)["results"]
    return people


def full_name(person):
    name = person["name"]
    return f"{name['title']}. {name['first']} {name['last']}"


class PeopleApi:
    """Answers /api/?results=N&page=P with page P (from 1) of PEOPLE; counts the requests for each page."""

    def __init__(self, people, behave=None):
        self.people = people
        self.behave = behave  # behave(handler, page, nth request) -> True when it answered by itself
        self.requests = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = parse_qs(urlsplit(self.path).query)
                page = int(query.get("page", ["1"])[0])
                api.requests.append(page)
                if api.behave and api.behave(self, page, len(api.requests)):
                    return
                count = int(query.get("results", ["1"])[0])
                start = (page - 1) * count
                self.answer(200, api.document(api.people[start:start + count], page))

            def answer(self, status, body, content_type="application/json; charset=utf-8"):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    @staticmethod
    def document(people, page):
        info = {"seed": "millrace", "results": len(people), "page": page, "version": "1.4"}
        return json.dumps({"results": people, "info": info}, ensure_ascii=False).encode()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
