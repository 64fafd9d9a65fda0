"""Endorsements (ENDORSE) with both proofs of the credential that each makes (EXPORT)."""
import hashlib
import json
import time

from second_keys import did, digest, fresh, sign, verify
from second_member import open_statement
from second_pack import unpack

KIND_ENDORSEMENT = 60
DAY = 86400
PEERS, NETWORK = 1, 2
CONTEXTS = ["https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
CREDENTIALS = "https://www.w3.org/2018/credentials#"
BADGES = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
SECURITY = "https://w3id.org/security#"
DATE = "http://www.w3.org/2001/XMLSchema#dateTime"
ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"',
           "\\": "\\\\"}


def sha256(data):
    return hashlib.sha256(data).digest()


def jcs(document):
    """RFC 8785, for what has neither numbers nor keys beyond ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def literal(text, of=None):
    """EXPORT-4"""
    text = "".join(ESCAPES.get(one) or (f"\\u{ord(one):04X}" if ord(one) < 32 or ord(one) == 127
                                        else one) for one in text)
    return f'"{text}"' + (f"^^<{of}>" if of else "")


def quads(rows):
    return "".join(sorted(" ".join(row) + " .\n" for row in rows)).encode()


class Credential:
    """EXPORT-1 to EXPORT-4"""

    def __init__(self, issuer, name, subject, words, uuid, issued, expires):
        self.name, self.words, self.member, self.subject = name, words, did(issuer), did(subject)
        text = uuid.hex()
        self.id = "urn:uuid:" + "-".join([text[:8], text[8:12], text[12:16], text[16:20],
                                          text[20:]])
        self.times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one))
                      for one in (issued, expires)]
        self.method = f"{self.member}#{self.member[len('did:key:'):]}"

    def jcs_message(self):
        document = {"@context": CONTEXTS, "id": self.id,
                    "type": ["VerifiableCredential", "EndorsementCredential"],
                    "issuer": {"id": self.member, "type": ["Profile"], "name": self.name},
                    "validFrom": self.times[0], "validUntil": self.times[1],
                    "credentialSubject": {"id": self.subject, "type": ["EndorsementSubject"],
                                          "endorsementComment": self.words}}
        proof = {"@context": CONTEXTS, "type": "DataIntegrityProof",
                 "cryptosuite": "eddsa-jcs-2022", "created": self.times[0],
                 "verificationMethod": self.method, "proofPurpose": "assertionMethod"}
        return sha256(jcs(proof)) + sha256(jcs(document))

    def rdfc_message(self):
        this, issuer, subject = f"<{self.id}>", f"<{self.member}>", f"<{self.subject}>"
        kind, blank = f"<{RDF_TYPE}>", "_:c14n0"
        document = [(this, kind, f"<{CREDENTIALS}VerifiableCredential>"),
                    (this, kind, f"<{BADGES}EndorsementCredential>"),
                    (this, f"<{CREDENTIALS}issuer>", issuer),
                    (this, f"<{CREDENTIALS}validFrom>", literal(self.times[0], DATE)),
                    (this, f"<{CREDENTIALS}validUntil>", literal(self.times[1], DATE)),
                    (this, f"<{CREDENTIALS}credentialSubject>", subject),
                    (issuer, kind, f"<{BADGES}Profile>"),
                    (issuer, "<https://schema.org/name>", literal(self.name)),
                    (subject, kind, f"<{BADGES}EndorsementSubject>"),
                    (subject, f"<{BADGES}endorsementComment>", literal(self.words))]
        proof = [(blank, kind, f"<{SECURITY}DataIntegrityProof>"),
                 (blank, "<http://purl.org/dc/terms/created>", literal(self.times[0], DATE)),
                 (blank, f"<{SECURITY}cryptosuite>",
                  literal("eddsa-rdfc-2022", SECURITY + "cryptosuiteString")),
                 (blank, f"<{SECURITY}proofPurpose>", f"<{SECURITY}assertionMethod>"),
                 (blank, f"<{SECURITY}verificationMethod>", f"<{self.method}>")]
        return sha256(quads(proof)) + sha256(quads(document))


def endorse(node, peer, words):
    """ENDORSE-1, ENDORSE-2: signed by root 0, offered in the pair space."""
    me, issued = node.me, int(time.time())
    expires = issued + 365 * DAY
    uuid = bytearray(int(issued * 1000).to_bytes(6, "big") + fresh(10))
    uuid[6], uuid[8] = 0x70 | uuid[6] & 0x0f, 0x80 | uuid[8] & 0x3f
    made = Credential(me.member, me.name, peer.member, words, uuid, issued, expires)
    endorsement = me.state_root("kith endorse", [
        1, bytes(uuid), peer.member, 1, ["translation"], words, None, None, issued, expires, 3,
        None, me.name, *(sign(me.root_secret, None, message)
                         for message in (made.jcs_message(), made.rdfc_message()))])
    node.write_statement(peer.pair_out, KIND_ENDORSEMENT, endorsement)
    return endorsement


def check(endorsement):
    """ENDORSE-3: the statement and both proofs are the issuer's; (issuer, subject, words)."""
    issuer, body = open_statement("kith endorse", endorsement)
    (_, uuid, subject, _, _, words, _, _, issued, expires, _, _, name, *proofs) = unpack(body)
    made = Credential(issuer, name, subject, words, uuid, issued, expires)
    for message, proof in zip((made.jcs_message(), made.rdfc_message()), proofs):
        verify(issuer, None, message, proof)
    return issuer, subject, words


def show(node, endorsement, audience):
    """SHOW-1, SHOW-2: beside the endorsement, in the card space of its subject."""
    of, made = digest("kith statement", endorsement), int(time.time())
    shown = node.me.state("kith show", [1, of, audience, made, made + 90 * DAY])
    node.write(node.me.card, KIND_ENDORSEMENT, of[:16], {1: endorsement, 2: shown})
