"""Certificates that a test makes for itself."""

import subprocess


def make_certificate(directory, name, valid_for="DNS:localhost,IP:127.0.0.1"):
    """One that signs itself, as paths (certificate, key). It is its own authority; `name` is its subject's."""
    cert, key = directory / f"{name}.crt", directory / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={valid_for}", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key
