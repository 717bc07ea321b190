"""A throwaway certificate authority and every certificate the tests present, made by openssl."""

import hashlib
import pathlib
import ssl
import subprocess

# Clients reach the gateway by loopback addresses and by one name; the backend is known by another
# name, so that a mix-up of the two identities fails verification. Node.js clients that are given
# an address look for "localhost", also where they reach a backend without a gateway.
GATEWAY_NAMES = "DNS:gateway.test,DNS:localhost,IP:127.0.0.1,IP:10.203.0.1"
BACKEND_NAMES = "DNS:db.internal,DNS:localhost,IP:127.0.0.1"

# What openssl is asked for a new key with.
ECDSA = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"
RSA = "-newkey", "rsa:2048"


class Authority:
    """Issues certificates into one folder; `path` is its own certificate."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder)
        self.path = self.folder / f"{name}.pem"
        self.key = self.folder / f"{name}.key"
        _openssl("req", "-x509", "-new", *ECDSA, "-nodes", "-keyout", self.key, "-out", self.path,
                 "-days", "30", "-subj", f"/CN=Gatehouse test authority {name}")

    def issue(self, name, alternative_names, days=30, subject=None, key_type=ECDSA):
        """The certificate and key files of `name`; negative `days`: expired since that long."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request = self.folder / f"{name}.csr"
        _openssl("req", "-new", *key_type, "-nodes", "-keyout", key, "-out", request,
                 "-subj", subject or f"/CN={name}",
                 "-addext", f"subjectAltName={alternative_names}")
        # "days 0" and below: valid until the start of today or before; x509 accepts no start date.
        _openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key,
                 "-CAcreateserial", "-days", str(days), "-copy_extensions", "copyall",
                 "-out", certificate)
        return Identity(certificate, key)


    def issue_for_later(self, name, alternative_names):
        """A certificate that is not valid before the year 2045."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, settings = self.folder / f"{name}.csr", self.folder / f"{name}.cnf"
        _openssl("req", "-new", *ECDSA, "-nodes", "-keyout", key, "-out", request,
                 "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative_names}")
        # x509 accepts no start date; ca does, and wants a place for its records.
        database = self.folder / f"{name}.issued"
        database.touch()
        settings.write_text(
            "[ca]\ndefault_ca = own\n[own]\npolicy = any\nrand_serial = yes\n"
            f"database = {database}\nnew_certs_dir = {self.folder}\ndefault_md = sha256\n"
            "copy_extensions = copyall\n[any]\ncommonName = supplied\n")
        _openssl("ca", "-batch", "-notext", "-config", settings, "-in", request, "-cert", self.path,
                 "-keyfile", self.key, "-startdate", "20450101000000Z",
                 "-enddate", "20460101000000Z", "-out", certificate)
        return Identity(certificate, key)


class Identity:
    """A certificate with its key."""

    def __init__(self, certificate, key):
        self.certificate = pathlib.Path(certificate)
        self.key = pathlib.Path(key)

    def sha256(self):
        """The digest of the certificate's DER, in lower-case hex: what `pin` is told."""
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        return hashlib.sha256(der).hexdigest()


class Certificates:
    """All of them, by what they are for."""

    def __init__(self, folder):
        authority = Authority(folder, "authority")
        stranger = Authority(folder, "stranger")
        self._issuer = authority
        self.authority = authority.path
        self.stranger_authority = stranger.path
        self.gateway = authority.issue("gateway", GATEWAY_NAMES)
        self.renewed_gateway = authority.issue("renewed", GATEWAY_NAMES)
        self.rsa_gateway = authority.issue("rsa", GATEWAY_NAMES, key_type=RSA)
        self.second = authority.issue("second", "DNS:second.wild.test")
        self.renewed_second = authority.issue("second-renewed", "DNS:second.wild.test")
        self.wildcard = authority.issue("wildcard", "DNS:*.wild.test", days=5)
        self.backend = authority.issue("backend", BACKEND_NAMES)
        self.misnamed_backend = authority.issue("misnamed", "DNS:elsewhere.internal")
        # For what compares the ways with and without the gateway: one name is good for both.
        self.local_backend = authority.issue("local", BACKEND_NAMES + ",DNS:localhost")
        self.expired_backend = authority.issue("expired", BACKEND_NAMES, days=-1)
        self.early_backend = authority.issue_for_later("early", BACKEND_NAMES)
        self.stranger_backend = stranger.issue("imposter", BACKEND_NAMES)
        self.client = authority.issue("client", "DNS:client.test", subject="/CN=alice/O=Orders")
        self.stranger_client = stranger.issue("mallory", "DNS:client.test")

    def of_kind(self, name, key_type):
        """The gateway, with another kind of key."""
        return self._issuer.issue(name, GATEWAY_NAMES, key_type=key_type)

    def for_addresses(self, addresses):
        """A gateway that is known by its addresses."""
        return self._issuer.issue("addresses", ",".join(f"IP:{each}" for each in addresses))

    def cassandra_store(self, folder, addresses, password):
        """A PKCS12 file, as Java has it, for nodes on these addresses."""
        name = pathlib.Path(folder).name
        names = ",".join([BACKEND_NAMES, *(f"IP:{address}" for address in addresses)])
        identity = self._issuer.issue(f"cassandra-{name}", names)
        store = pathlib.Path(folder) / "store.p12"
        _openssl("pkcs12", "-export", "-in", identity.certificate, "-inkey", identity.key,
                 "-certfile", self.authority, "-name", "node", "-passout", f"pass:{password}",
                 "-out", store)
        return store


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, f"openssl {arguments[0]} failed: {done.stderr}"
