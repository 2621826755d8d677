#!/usr/bin/env python3
"""Checks a CallerVault audit log without CallerVault: Python's (3.8 or newer) standard library only.

DIRECTORY is a copy of the log as it is served: checkpoint, tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>]; beside them
checkpoint.cosigned, the newest checkpoint that witnesses have cosigned, if there is one.
Last line `verified: …` and exit code 0, or `TAMPERED: …` or `UNWITNESSED: …` and 1. Exit code 2: called wrongly, or a file
is unreadable. Specifications: RFC 6962 and 9162 (tree), RFC 8032 (Ed25519), c2sp.org/signed-note, …/tlog-checkpoint,
…/tlog-cosignature, …/tlog-tiles, …/tlog-proof. Entries beyond the checkpoint's size, and tiles that only older sizes need, are not read.
"""
import argparse, base64, contextlib, datetime, hashlib, json, pathlib, re, sys

# The only keys that an entry may have. None of them has room for what a caller said.
ALLOWED_KEYS = set("v id t act out why actor token dept role ticket subject fields form purpose policy req node digest"
                   " approver link via client nth".split())
FULL = 256  # hashes in a full tile, entries in a full bundle

def require(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)

class Unwitnessed(ValueError):
    """Nothing is wrong with the log, but too few witnesses have cosigned it."""

@contextlib.contextmanager
def about(what):
    """Names the file or leaf in which something is wrong."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what}: {error}") from None

def unbase64(text):  # RFC 4648 section 4, with padding; one spelling only for each value
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 in another spelling")
    return data


# ---- Ed25519, RFC 8032 section 5.1. A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. Nothing here is secret.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def add(p, q):  # 5.1.4
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        result = add(result, point) if scalar & 1 else result
        point, scalar = add(point, point), scalar >> 1
    return result

def decode_point(data):  # 5.1.3
    sign, y = data[31] >> 7, int.from_bytes(data, "little") & 2**255 - 1
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x if (x * x - x2) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    require(y < P and (x * x - x2) % P == 0 and (x or not sign), "no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P

BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def check_signature(public_key, message, signature):  # 5.1.7: [S]B = R + [k]A
    require(len(signature) == 64, "not 64 bytes")
    a, r, s = decode_point(public_key), decode_point(signature[:32]), int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little")
    left, right = multiply(s, BASE), add(r, multiply(k % ORDER, a))
    same = all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))
    require(s < ORDER and same, "it does not fit the text")


# ---- Keys (signed-note, "Signatures"), checkpoints (signed-note, "Format"; tlog-checkpoint), receipts (tlog-proof)
def vkey(text, kind=1):
    """name+id+base64(kind || public key), id = first 4 bytes of SHA-256(name || newline || kind || public key)."""
    name, key_id, encoded = text.split("+", 2)
    key = unbase64(encoded)
    require(len(key) == 33 and key[0] == kind, "not an Ed25519 key of that use")
    require(hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id, "the key's id is not its own")
    return name, bytes.fromhex(key_id), key[1:]

def witness_vkey(text):  # tlog-cosignature: an Ed25519 key that cosigns has the type 0x04
    return vkey(text, 4)

def open_note(data):
    """Text, and for each signature line its name and bytes (key id, then the signature). Nothing is verified yet."""
    text, _, signatures = data.decode().rpartition("\n\n")
    require(text and signatures.endswith("\n") and not re.search(rb"[\0-\x09\x0b-\x1f]", data), "not a signed note")
    lines = [re.fullmatch(r"— ([^\s+]+) (\S+)", line) for line in signatures[:-1].split("\n")]
    require(all(lines), "malformed signature line")
    return text + "\n", [(line[1], unbase64(line[2])) for line in lines]

def open_checkpoint(data, keys):
    """Size and root of a checkpoint: three lines, a blank one, signatures; believed once a signature of the log holds."""
    text, signatures = open_note(data)
    signed, name = False, keys[0][0]
    for signer, signature in signatures:
        for _, key_id, public_key in keys:
            if (signer, signature[:4]) == (name, key_id):  # others, such as witnesses', are ignored
                with about(f"the signature by {name} is invalid, or origin, size or root was changed"):
                    check_signature(public_key, text.encode(), signature[4:])
                signed = True
    require(signed, "not signed by " + " or ".join(f"{name}+{key_id.hex()}" for _, key_id, _ in keys))
    lines = re.fullmatch(r"(.+)\n(0|[1-9][0-9]{0,18})\n(.+)\n", text)
    require(lines, "not three lines: origin, size, root")
    require(lines[1] == name, f"this is the log {lines[1]}, not {name}")
    root = unbase64(lines[3])
    require(len(root) == 32, "the root is not 32 bytes")
    return int(lines[2]), root

def in_words(seconds):
    """A time since the Unix epoch as UTC; the seconds themselves where the calendar does not reach."""
    try:
        return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).isoformat() + "Z"
    except OverflowError:
        return str(seconds)

def cosigners(data, witnesses):
    """Which of the witnesses have cosigned a checkpoint, and when. Lines of others are ignored, these witnesses' must hold."""
    text, signatures = open_note(data)
    found = []
    for name, key_id, public_key in witnesses:
        own = [signature[4:] for signer, signature in signatures if (signer, signature[:4]) == (name, key_id)]
        times = []
        with about(f"the witness {name}: its cosignature does not hold"):
            for signature in own:
                time = int.from_bytes(signature[:8], "big")
                require(len(signature) == 72 and time < 2**63, "not a time and a signature")
                check_signature(public_key, b"cosignature/v1\ntime %d\n" % time + text.encode(), signature[8:])
                times.append(time)
        found += [f"{name} at {in_words(max(times))}"] if times else []
    return found

RECEIPT = b"c2sp.org/tlog-proof@v1\n"

def parse_receipt(data):
    """Index, hashes from the leaf's sibling upward, checkpoint. The `extra` line is outside any signature: ignored."""
    head, _, checkpoint = data.partition(b"\n\n")
    match = re.fullmatch(r"(?:extra (.*)\n)?index (0|[1-9][0-9]{0,18})((?:\n.+)*)", head[len(RECEIPT):].decode())
    require(head.startswith(RECEIPT) and match, "not a tlog-proof")
    unbase64(match[1] or "")
    hashes = [unbase64(line) for line in match[3].split("\n")[1:]]
    require(all(len(one) == 32 for one in hashes), "a hash is not 32 bytes")
    return int(match[2]), hashes, checkpoint


ERASURE = re.compile(r"callervault/erasure/1\nlog (.+)\nentry (0|[1-9][0-9]{0,18})\nleaf (.+)\nerased (.+)\nsubject (.+)\n"
                     r"records (\d+)\ntickets (\d+)\nkek ([0-9,]*)\n")

def open_erasure(data, keys):
    """Index, leaf hash, subject and time of the receipt of an erasure: a note of its own kind, signed by the log's key."""
    text, signatures = open_note(data)
    own = [(key, line[1][4:]) for line in signatures for key in keys if (line[0], line[1][:4]) == key[:2]]
    require(own, "not signed by a key of this log")
    for (name, _, public_key), signature in own:
        with about(f"the signature by {name} is invalid, or the receipt was changed"):
            check_signature(public_key, text.encode(), signature)
    lines = ERASURE.fullmatch(text)
    require(lines and lines[1] == keys[0][0], "not the receipt of an erasure of this log")
    return int(lines[2]), unbase64(lines[3]), lines[5], lines[4]


# ---- Merkle tree, RFC 6962 section 2.1
def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()

def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()

def tree_root(hashes):
    """Pairs, level by level; a last one without partner moves up as it is, which comes to RFC 6962's split."""
    while len(hashes) > 1:
        pairs = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[-1:] if len(hashes) % 2 else pairs
    return hashes[0] if hashes else hashlib.sha256(b"").digest()

def root_from_proof(index, size, leaf, proof):
    """RFC 9162 section 2.1.3.2; None if index and size do not go with a proof of that length."""
    fn, sn, result = index, size - 1, leaf
    for sibling in proof:
        if sn <= 0:
            return None
        right = fn & 1 or fn == sn
        result = node_hash(sibling, result) if right else node_hash(result, sibling)
        while right and fn and not fn & 1:
            fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    return result if index < size and sn == 0 else None


# ---- Tiles and bundles (tlog-tiles)
def read_file(directory, kind, n, width):
    """Path and bytes (None if missing). At the right edge the full file will do too: a log may drop partial ones."""
    digits, higher = f"{n % 1000:03}", n // 1000
    while higher:  # 1234067 is x001/x234/067
        digits, higher = f"x{higher % 1000:03}/{digits}", higher // 1000
    paths = [f"tile/{kind}/{digits}.p/{width}"] * (width < FULL) + [f"tile/{kind}/{digits}"]
    found = [path for path in paths if (directory / path).is_file()]
    return (found[0], (directory / found[0]).read_bytes()) if found else (paths[0], None)

def read_tile(directory, level, n, width):
    path, data = read_file(directory, level, n, width)
    require(data is not None, f"{path} is missing")
    require(len(data) == 32 * (width if ".p/" in path else FULL), f"{path} has {len(data)} bytes")
    return path, [data[i:i + 32] for i in range(0, 32 * width, 32)]

def refuse_duplicates(pairs):
    require(len(dict(pairs)) == len(pairs), "a key occurs twice")
    return dict(pairs)

def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")

parse_json = json.JSONDecoder(object_pairs_hook=refuse_duplicates, parse_constant=refuse_constant).decode

class Counts:
    """Each entry about a caller says which one about that caller it is. Logs of an earlier program have no counts at first."""
    def __init__(self):
        self.last, self.begun, self.incomplete = {}, False, False

    def skip(self):  # bodies that were archived and dropped
        self.last, self.incomplete = {}, True

    def take(self, entry):
        subject, nth = entry.get("subject"), entry.get("nth")
        if nth is None and (subject is None or not self.begun):
            return
        require(isinstance(subject, str) and type(nth) is int, "a count without a caller, or a caller without a count")
        expected = self.last[subject] + 1 if subject in self.last else max(nth, 1) if self.incomplete else 1
        require(nth == expected, f"counted as number {nth} about its caller, and number {expected} follows: an entry is hidden")
        self.last[subject], self.begun = nth, True

def check_bundle(path, bundle, first, hashes, counts):
    """Every entry (big-endian uint16 length, then the bytes) against its hash on level 0; then its keys and its count."""
    offset = 0
    for index, stored in enumerate(hashes, first):
        with about(f"leaf {index}"):
            end = offset + 2 + int.from_bytes(bundle[offset:offset + 2], "big")
            entry = bundle[offset + 2:end]
            require(offset + 2 <= end <= len(bundle), f"{path} ends within or before it")
            require(leaf_hash(entry) == stored, f"the entry in {path} does not have the hash in tile/0")
            value = parse_json(entry.decode())
            require(isinstance(value, dict), "not a JSON object")
            require(ALLOWED_KEYS.issuperset(value), f"keys that are not allowed: {sorted(set(value) - ALLOWED_KEYS)}")
            counts.take(value)
            offset = end
    # The full file, read in place of a dropped partial one, goes on with entries younger than the checkpoint.
    require(offset == len(bundle) or len(hashes) < FULL and ".p/" not in path, f"{path}: bytes after its last leaf")

def check_log(directory, size, root, pruned_below):
    """Every entry, every tile, the root. Returns the leaf hashes."""
    leaves, pruned, counts = [], 0, Counts()
    for first in range(0, size, FULL):
        width = min(FULL, size - first)
        _, hashes = read_tile(directory, 0, first // FULL, width)
        path, bundle = read_file(directory, "entries", first // FULL, width)
        if bundle is not None:
            check_bundle(path, bundle, first, hashes, counts)
        else:  # tlog-tiles, "Pruning": full bundles that end at or below the minimum index
            require(width == FULL and first + FULL <= pruned_below, f"{path} is missing, from leaf {first} on")
            pruned += width
            counts.skip()
        leaves += hashes
    print(f"entries: {size - pruned} read, each with the hash in tile/0 and allowed keys only")
    if pruned:
        print(f"pruned: {pruned} entries were not there; their hashes in tile/0 stand for them")
    level, hashes, tiles = 0, leaves, 0
    while hashes:
        for n in range(0, len(hashes), FULL):
            path, stored = read_tile(directory, level, n // FULL, min(FULL, len(hashes) - n))
            require(stored == hashes[n:n + FULL], f"{path} does not follow from the tiles below it")
            tiles += 1
        full = len(hashes) // FULL * FULL  # a partial tile is not hashed upward
        level, hashes = level + 1, [tree_root(hashes[n:n + FULL]) for n in range(0, full, FULL)]
    print(f"tiles: {tiles} on {level} levels, each as recomputed from the level below")
    require(tree_root(leaves) == root, "the entries do not have the root in the signed checkpoint")
    print("root: recomputed over all entries, as in the checkpoint")
    return leaves

def check_older(leaves, size, root, source):
    """A log only grows: whatever its key signed earlier must be its beginning."""
    cut = f"the log was cut or forked: {source} was signed for {size} entries"
    require(size <= len(leaves), f"{cut}, here are {len(leaves)}")
    require(tree_root(leaves[:size]) == root, f"{cut}, which are not the first {size} here")
    print(f"older: the {size} entries that {source} was signed for are the first {size} here")

def check_witnesses(notes, keys, witnesses, quorum):
    """How many of the first entries a quorum has cosigned, by the best of these checkpoints."""
    best, most = None, []
    for source, note in notes:
        with about(source):
            found, (size, _) = cosigners(note, witnesses), open_checkpoint(note, keys)
        most = max(most, found, key=len)
        if found and len(found) >= quorum:
            print(f"witnessed: the first {size} entries, in {source}, by {', '.join(found)}")
            best = max(best or 0, size)
    if best is None and quorum:
        raise Unwitnessed(f"{quorum} of the named witnesses must have cosigned the same checkpoint, at most {len(most)} have")
    return best

def arguments():
    parser = argparse.ArgumentParser(description="Checks a CallerVault audit log.")
    parser.add_argument("directory", type=pathlib.Path, nargs="?", help="the log: checkpoint, tile/...")
    parser.add_argument("--receipt", metavar="FILE", help="the receipt of an erasure; without DIRECTORY only its signature is checked")
    parser.add_argument("--key", required=True, metavar="VKEY", type=vkey, action="append", dest="keys",
                        help="the log's key, name+id+key; repeat for keys that the log had before")
    parser.add_argument("--not-older-than", metavar="FILE", help="a checkpoint or receipt that you kept")
    parser.add_argument("--proof", metavar="FILE", help="a receipt (.tlog-proof) to check")
    parser.add_argument("--entry", metavar="FILE", help="the receipt's entry, if not to be taken from DIRECTORY")
    parser.add_argument("--pruned-below", metavar="INDEX", type=int, default=0, help="bundles below may be missing")
    parser.add_argument("--witness", metavar="VKEY", type=witness_vkey, action="append", default=[],
                        help="the key of a witness; its cosignatures are verified, those of others are ignored; repeat")
    parser.add_argument("--quorum", metavar="N", type=int, help="number of witnesses that must have cosigned the same "
                        "checkpoint (default: all); 0 only verifies the cosignatures that exist")
    options = parser.parse_args()
    if not (options.directory.is_dir() if options.directory else options.receipt) or options.entry and not options.proof:
        parser.error("DIRECTORY must be a directory, and --entry goes with --proof")
    if len({name for name, _, _ in options.keys}) > 1:
        parser.error("the keys are of different logs")
    count = len({public_key for _, _, public_key in options.witness})
    if count < len(options.witness) or not 0 <= (options.quorum or 0) <= count:
        parser.error("each witness has a key of its own, and the quorum is from 0 to their number")
    options.quorum = count if options.quorum is None else options.quorum
    return options

def main():
    options = arguments()
    if options.receipt:
        with about(options.receipt):
            erased = open_erasure(pathlib.Path(options.receipt).read_bytes(), options.keys)
        print(f"receipt: {erased[2]} was erased at {erased[3]}, entry {erased[0]}")
    if not options.directory:
        return
    kept, proof, entry = (name and pathlib.Path(name).read_bytes()
                          for name in (options.not_older_than, options.proof, options.entry))
    checkpoint, cosigned = options.directory / "checkpoint", options.directory / "checkpoint.cosigned"
    require(checkpoint.is_file(), "checkpoint is missing")
    notes = [("checkpoint", checkpoint.read_bytes())]  # every checkpoint that the log turns out to continue
    with about("checkpoint"):
        size, root = open_checkpoint(notes[0][1], options.keys)
    shown = base64.b64encode(root).decode()
    print(f"checkpoint: {options.keys[0][0]}, {size} entries, root {shown}, properly signed")
    leaves = check_log(options.directory, size, root, options.pruned_below)
    if kept is None:
        print("note: without a kept checkpoint or proof (--not-older-than), a cut log looks like a shorter one")
    else:
        with about(options.not_older_than):
            kept = parse_receipt(kept)[2] if kept.startswith(RECEIPT) else kept
        notes.append((options.not_older_than, kept))
    if options.witness and cosigned.is_file():
        notes.append(("checkpoint.cosigned", cosigned.read_bytes()))
    if proof is not None:
        with about(options.proof):
            index, hashes, receipted = parse_receipt(proof)
        notes.append((options.proof, receipted))
    for source, note in notes[1:]:
        with about(source):
            older = open_checkpoint(note, options.keys)
        check_older(leaves, *older, source)
    witnessed = check_witnesses(notes, options.keys, options.witness, options.quorum)
    if proof is not None:
        tree_size, tree = open_checkpoint(receipted, options.keys)
        require(index < tree_size, f"{options.proof}: index {index} is outside its tree of {tree_size}")
        leaf = leaves[index] if entry is None else leaf_hash(entry)
        proved = root_from_proof(index, tree_size, leaf, hashes) == tree
        require(proved, f"{options.proof} does not prove {options.entry or 'the entry'} at index {index}")
        if options.quorum and index >= witnessed:
            raise Unwitnessed(f"the witnesses have cosigned the first {witnessed} entries, and not entry {index}")
        print(f"proof: {options.proof} proves {options.entry or 'the entry'} at index {index}")
    if options.receipt:
        there = erased[0] < size and leaves[erased[0]] == erased[1]
        require(there, f"{options.receipt}: entry {erased[0]} of this log is another")
    print(f"verified: {size} entries, root {shown}")

if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        main()
    except Unwitnessed as finding:
        print(f"UNWITNESSED: {finding}")
        sys.exit(1)
    except ValueError as finding:
        print(f"TAMPERED: {finding}")
        sys.exit(1)
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
