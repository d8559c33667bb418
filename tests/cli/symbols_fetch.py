#!/usr/bin/env python3
"""`dfrule symbols` against a server of its own on a free port of this machine: files come whole and
checked or not at all, absence is remembered, interrupted transfers are gone on with."""
import http.server
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DFRULE = os.environ.get("DFRULE", os.path.join(ROOT, "build/release/dfrule"))
RECIPE = os.path.join(ROOT, "corpus/recipes/d1_null_field.yaml")
GUID = bytes(range(1, 17))
failed = 0


def case(name, good, detail=""):
    global failed
    failed += not good
    print("ok" if good else "not ok", "- symbols:", name, detail if not good else "")


def image(stamp, size, pdb):
    """A PE32+ with one section that holds a debug directory."""
    raw = bytearray(0x4000)
    rsds = b"RSDS" + GUID + struct.pack("<I", 1) + pdb.encode() + b"\0"
    struct.pack_into("<4sIII", raw, 0, b"MZ", 0, 0, 0)
    struct.pack_into("<I", raw, 0x3C, 0x80)
    struct.pack_into("<4sHHIIIHH", raw, 0x80, b"PE\0\0", 0x8664, 1, stamp, 0, 0, 240, 0x22)
    o = 0x98
    struct.pack_into("<H", raw, o, 0x20B)
    struct.pack_into("<II", raw, o + 32, 0x1000, 0x200)
    struct.pack_into("<II", raw, o + 56, size, 0x400)
    struct.pack_into("<I", raw, o + 108, 16)
    struct.pack_into("<II", raw, o + 112 + 6 * 8, 0x1000, 28)
    struct.pack_into("<8sIIIIIIHHI", raw, o + 240, b".text", size - 0x1000, 0x1000, 0x3C00, 0x400, 0, 0, 0, 0, 0x60000020)
    struct.pack_into("<IIHHIIII", raw, 0x400, 0, stamp, 0, 0, 2, len(rsds), 0x1100, 0x500)
    raw[0x500:0x500 + len(rsds)] = rsds
    for returns in (0x11BE, 0x123C):  # where frames of the recipe return: behind calls
        raw[returns - 0x1000 + 0x400 - 5] = 0xE8
    return bytes(raw)


def pdb(size, publics, guid=GUID):
    """An MSF of blocks of 512 bytes: info, no types, debug information, section headers, publics."""
    records = b""
    for rva, name in publics:
        body = struct.pack("<HIIH", 0x110E, 2, rva - 0x1000, 1) + name.encode() + b"\0"
        body += b"\0" * (-(len(body) + 2) % 4)
        records += struct.pack("<H", len(body)) + body
    sections = struct.pack("<8sIIIIIIHHI", b".text", size - 0x1000, 0x1000, 0x200, 0x400, 0, 0, 0, 0, 0x60000020)
    header = struct.pack("<iIIHHHHHHiiiiiIiiHHI", -1, 19990903, 1, 0xFFFF, 0, 0xFFFF, 0, 5, 0, 0, 0, 0, 0, 0, 0, 22, 0, 0,
                         0x8664, 0) + struct.pack("<11H", *([0xFFFF] * 5 + [6] + [0xFFFF] * 5))
    streams = [b"", struct.pack("<III", 20000404, 1, 3) + guid, b"", header, b"", records, sections]
    blocks, lists = [b"", b"\0" * 512, b"\0" * 512], []
    for s in streams:
        mine = []
        for i in range(0, len(s), 512):
            mine.append(len(blocks))
            blocks.append(s[i:i + 512].ljust(512, b"\0"))
        lists.append(mine)
    directory = struct.pack("<I", len(streams)) + b"".join(struct.pack("<I", len(s)) for s in streams)
    directory += b"".join(struct.pack("<I", b) for mine in lists for b in mine)
    at = len(blocks)
    blocks.append(directory.ljust(512, b"\0"))
    blocks.append(struct.pack("<I", at).ljust(512, b"\0"))
    blocks[0] = (b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0" +
                 struct.pack("<IIIIII", 512, 1, len(blocks), len(directory), 0, at + 1)).ljust(512, b"\0")
    return b"".join(blocks)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.cut, self.ranges = {}, [], {}, True
        self.redirect = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        s = self.server
        start = 0
        s.asked.append((self.path, self.headers.get("Range")))
        if self.path in s.redirect:
            self.send_response(302)
            self.send_header("Location", s.redirect[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path not in s.files:
            self.send_error(404)
            return
        data = s.files[self.path]
        if s.ranges and self.headers.get("Range"):
            start = int(self.headers["Range"].split("=")[1].split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        body = data[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if s.cut.get(self.path, 0) > 0:
            s.cut[self.path] -= 1
            body = body[:len(body) // 3]
        self.wfile.write(body)


def run(*args, **env):
    return subprocess.run([DFRULE, "symbols", *args], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "_NT_SYMBOL_PATH": "", "no_proxy": "*", **env})


def wanted(dump, path):
    rows = json.loads(run("list", "--all", "-o", "json", "--symbols", path, dump).stdout)["files"]
    return {(r["module"], r["kind"]): r for r in rows}


def leftovers(store):
    return [f for _, _, files in os.walk(store) for f in files if f.endswith(".part")]


def main():
    tmp = tempfile.mkdtemp()
    dump, store = os.path.join(tmp, "crash.dmp"), os.path.join(tmp, "store")
    subprocess.run([DFRULE, "forge", RECIPE, "-o", dump], check=True)
    path = f"srv*{store}"
    want = wanted(dump, path)
    ndis, kestrel = want[("ndis", "image")], want[("kestrelnet", "image")]
    case("without files, images are missing and PDBs not known yet",
         not ndis["have"] and "path" in ndis and not want[("ndis", "pdb")]["have"] and "why" in want[("ndis", "pdb")], want)

    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    fetch = lambda *more: run("fetch", "--symbols", path, "--server", base + "/", *more, dump)
    stamp = lambda row: int(row["path"].split("/")[1][:8], 16)
    size = lambda row: int(row["path"].split("/")[1][8:], 16)
    good = image(stamp(ndis), size(ndis), "c:\\build\\ndis.pdb")
    pdb_id = "".join(f"{GUID[i]:02X}" for i in (3, 2, 1, 0, 5, 4, 7, 6, *range(8, 16))) + "1"
    symbols = pdb(size(ndis), [(0x1000, "NdisFirst"), (0x1200, "NdisSecond")])
    pdb_path = f"ndis.pdb/{pdb_id}/ndis.pdb"
    server.files["/" + ndis["path"]] = good
    server.files["/" + pdb_path] = symbols

    p = fetch()
    case("an image and then the PDB that it names are fetched",
         os.path.exists(os.path.join(store, ndis["path"])) and os.path.exists(os.path.join(store, pdb_path)) and
         p.returncode == 0, p.stdout + p.stderr)
    after = wanted(dump, path)
    case("they are found afterwards", after[("ndis", "image")]["have"] and after[("ndis", "pdb")]["have"], after)
    case("what the server has not leaves a note", os.path.exists(os.path.join(store, kestrel["path"]) + ".missing"))
    packed = "/" + kestrel["path"][:-1] + "_"
    case("after the packed form was asked for as well", packed in [a for a, _ in server.asked], server.asked)
    facts = subprocess.run([DFRULE, "facts", "--symbols", path, "-o", "json", dump], capture_output=True, text=True).stdout
    case("frames have the names", "NdisFirst" in facts or "NdisSecond" in facts)

    server.asked.clear()
    p = fetch()
    case("a second run asks nothing", not server.asked and p.returncode == 0, f"{server.asked} {p.stderr}")
    p = fetch("--retry")
    case("--retry asks again", any(a == "/" + kestrel["path"] for a, _ in server.asked), server.asked)
    note = os.path.join(store, kestrel["path"]) + ".missing"
    os.utime(note, (time.time() - 30 * 86400,) * 2)
    server.asked.clear()
    fetch()
    case("an old note is not believed", any(a == "/" + kestrel["path"] for a, _ in server.asked), server.asked)

    server.files["/" + kestrel["path"]] = image(stamp(kestrel) + 1, size(kestrel), "k.pdb")
    p = fetch("--retry")
    case("an image of another build is refused",
         not os.path.exists(os.path.join(store, kestrel["path"])) and p.returncode == 5 and "another build" in p.stderr and
         not leftovers(store), p.stderr)

    whole = image(stamp(kestrel), size(kestrel), "k.pdb")
    server.files["/" + kestrel["path"]] = whole[:0x2000]
    p = fetch("--retry")
    case("an image that lacks its end is refused",
         not os.path.exists(os.path.join(store, kestrel["path"])) and "cut off" in p.stderr and not leftovers(store), p.stderr)

    server.files["/" + kestrel["path"]] = whole
    server.cut["/" + kestrel["path"]] = 100
    p = fetch("--retry")
    part = os.path.join(store, kestrel["path"]) + ".part"
    case("an interrupted transfer leaves its part and no file",
         os.path.exists(part) and not os.path.exists(os.path.join(store, kestrel["path"])) and p.returncode == 5, p.stderr)
    have = os.path.getsize(part) if os.path.exists(part) else 0
    server.cut.clear()
    server.asked.clear()
    p = fetch("--retry")
    first = [r for a, r in server.asked if a == "/" + kestrel["path"]]
    got = os.path.join(store, kestrel["path"])
    case("the next run goes on with it",
         first[:1] == [f"bytes={have}-"] and os.path.exists(got) and open(got, "rb").read() == whole and not leftovers(store),
         f"{first} {have} {p.stderr}")

    os.remove(got)
    with open(part, "wb") as f:
        f.write(b"x" * 100)
    server.ranges = False
    p = fetch("--retry")
    case("a server that sends all of it anew is followed", os.path.exists(got) and open(got, "rb").read() == whole, p.stderr)
    os.remove(got)
    server.ranges = True
    server.redirect["/" + kestrel["path"]] = "/" + kestrel["path"]
    p = fetch("--retry")
    case("redirections in a circle end", p.returncode == 5 and "redirect" in p.stderr and not os.path.exists(got), p.stderr)
    server.redirect["/" + kestrel["path"]] = "file:///etc/hostname"
    p = fetch("--retry")
    case("no redirection leads out of the web", p.returncode == 5 and not os.path.exists(got), p.stderr)
    server.redirect.clear()

    tiers = os.path.join(tmp, "tiers")
    os.mkdir(tiers)
    open(os.path.join(tiers, "index2.txt"), "w").close()
    p = run("fetch", "--symbols", f"srv*{tiers}*{base}", dump)
    case("a store of two tiers gets its files there, from the server of the symbol path",
         os.path.exists(os.path.join(tiers, ndis["path"][:2], ndis["path"])) and
         wanted(dump, f"srv*{tiers}")[("ndis", "pdb")]["have"], p.stderr)

    cache = os.path.join(tmp, "cache")
    p = run("fetch", "--server", base, dump, DFRULE_CACHE=cache)
    case("without a symbol path files go into the user's own store",
         os.path.exists(os.path.join(cache, "symbols", ndis["path"])), p.stderr)
    p = run("fetch", "--symbols", tmp, "--server", base, dump)
    case("a path without a store is refused", p.returncode == 3, p.stderr)
    p = run("fetch", "--symbols", path, "--server", "ftp://x", dump)
    case("other addresses are refused", p.returncode == 3, p.stderr)
    p = run("list", RECIPE)
    case("what is no dump is refused", p.returncode != 0)
    server.shutdown()
    shutil.rmtree(tmp)
    return 1 if failed else 0


sys.exit(main())
