"""XAdES as another tool makes it: a template filled in by hand, signed by xmlsec1."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from signing.pki import Subject, certificates_pem, issue_leaf, new_key, public_key_of
from signing.purpose import Purpose
from signing.unsigned import DS, XADES
from tests.builders.signing import SHORT, pki

INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
INCLUSIVE_11 = "http://www.w3.org/2006/12/xml-c14n11"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A person with a key that xmlsec1 can read."""

    key: bytes  # PKCS#8 PEM
    certificate: bytes  # DER


@cache
def holder() -> Holder:
    """Return the signer of this test run."""
    key = new_key()
    certificate = issue_leaf(
        pki().issuing,
        public_key=public_key_of(key),
        purpose=Purpose.PERSON,
        subject=Subject(common_name="Công cụ khác"),
        validity=SHORT,
        serial=700,
    )
    return Holder(key=key, certificate=certificate)


def reference(uri: str, *transforms: str, kind: str = "", digest: str = SHA256) -> str:
    """Return a Reference without its digest; a transform is an algorithm URI or an element."""
    steps = "".join(
        one if one.startswith("<") else f'<ds:Transform Algorithm="{one}"/>' for one in transforms
    )
    wrapped = f"<ds:Transforms>{steps}</ds:Transforms>" if steps else ""
    typed = f' Type="{kind}"' if kind else ""
    return (
        f'<ds:Reference URI="{uri}"{typed}>{wrapped}<ds:DigestMethod Algorithm="{digest}"/>'
        "<ds:DigestValue/></ds:Reference>"
    )


def template(
    *references: str,
    form: str = INCLUSIVE,
    objects: str = "",
    old_certificate: bool = False,
    properties_type: str = "http://uri.etsi.org/01903#SignedProperties",
) -> str:
    """Return a ds:Signature to be signed, with line breaks as tools like to write them."""
    digest = base64.b64encode(hashlib.sha256(holder().certificate).digest()).decode()
    serial = (
        "<xades:IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName>"
        "<ds:X509SerialNumber>700</ds:X509SerialNumber></xades:IssuerSerial>"
        if old_certificate
        else ""
    )
    name = "SigningCertificate" if old_certificate else "SigningCertificateV2"
    properties = reference("#xades-props", form, kind=properties_type)
    return f"""<ds:Signature xmlns:ds="{DS}" Id="sig">
  <ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="{form}"/>
    <ds:SignatureMethod Algorithm="{ECDSA}"/>
    {"".join(references)}{properties}
  </ds:SignedInfo>
  <ds:SignatureValue/>
  <ds:KeyInfo><ds:X509Data><ds:X509Certificate>
{base64.encodebytes(holder().certificate).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
  {objects}
  <ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#sig">
    <xades:SignedProperties Id="xades-props"><xades:SignedSignatureProperties>
      <xades:SigningTime>2022-04-12T09:30:00+07:00</xades:SigningTime>
      <xades:{name}><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="{SHA256}"/>
        <ds:DigestValue>{digest}</ds:DigestValue></xades:CertDigest>{serial}</xades:Cert></xades:{name}>
    </xades:SignedSignatureProperties></xades:SignedProperties>
  </xades:QualifyingProperties></ds:Object>
</ds:Signature>"""


def signed(document: str, folder: Path, *, node: str = "sig") -> bytes:
    """Return the document with its signature of Id `node` made by xmlsec1, run in `folder`."""
    (folder / "key.pem").write_bytes(holder().key)
    (folder / "leaf.pem").write_bytes(certificates_pem(holder().certificate))
    (folder / "template.xml").write_text(document, encoding="utf-8")
    result = subprocess.run(
        [
            "xmlsec1", "--sign", "--id-attr:Id", "SignedProperties", "--id-attr:Id", "Object",
            "--id-attr:Id", "data", "--id-attr:Id", "Signature", "--id-attr:Id", "SignatureValue",
            "--node-id", node, "--privkey-pem", "key.pem", "--output", "signed.xml",
            "template.xml",
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return (folder / "signed.xml").read_bytes()
