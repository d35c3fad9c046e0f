// Beats' `ssl`, which outputs understand beside `tls_config`.

#include <string>
#include <string_view>
#include <vector>

#include "agent/config/sections.h"
#include "base/net/trusted_fingerprint.h"

namespace agent {
namespace {

bool IsPem(const std::string& text) {
  return text.starts_with("-----BEGIN");
}

// The text, or the name of a file.
void ReadPem(FieldReader& fields, std::string_view key, std::string& text, std::string& file) {
  if (!fields.Has(key)) return;
  const std::string value = fields.String(key);
  (IsPem(value) ? text : file) = value;
}

void ReadAuthorities(FieldReader& fields, TlsConfig& tls) {
  for (const std::string& authority : fields.StringList("certificate_authorities")) {
    if (IsPem(authority)) {
      tls.ca += authority;
      if (!tls.ca.ends_with('\n')) tls.ca += '\n';
    } else if (!tls.ca_file.empty()) {
      fields.Error("certificate_authorities", "one file at most", "put them into one file");
    } else {
      tls.ca_file = authority;
    }
  }
  if (!tls.ca.empty() && !tls.ca_file.empty()) {
    fields.Error("certificate_authorities", "either a file or texts", "put them into one file");
  }
}

void ReadFingerprint(FieldReader& fields, TlsConfig& tls) {
  const std::string text = fields.String("ca_trusted_fingerprint");
  tls.trusted_fingerprint = NormalFingerprint(text);
  if (!text.empty() && tls.trusted_fingerprint.empty()) {
    fields.Error("ca_trusted_fingerprint",
                 "'" + text + "' is no SHA-256: expected 64 hexadecimal digits",
                 "openssl x509 -fingerprint -sha256 -noout -in ca.crt");
  }
}

TlsVersion VersionOf(const std::string& name) {
  if (name == "TLSv1" || name == "TLSv1.0") return TlsVersion::kTls10;
  if (name == "TLSv1.1") return TlsVersion::kTls11;
  if (name == "TLSv1.2") return TlsVersion::kTls12;
  return name == "TLSv1.3" ? TlsVersion::kTls13 : TlsVersion::kDefault;
}

// A list, of which we take the lowest and the highest.
void ReadVersions(FieldReader& fields, TlsConfig& tls) {
  for (const std::string& name : fields.StringList("supported_protocols")) {
    const TlsVersion version = VersionOf(name);
    if (version == TlsVersion::kDefault) {
      fields.Error("supported_protocols", "'" + name + "' is no version of TLS",
                   "TLSv1.2 or TLSv1.3");
      continue;
    }
    if (tls.min_version == TlsVersion::kDefault || version < tls.min_version) {
      tls.min_version = version;
    }
    if (tls.max_version == TlsVersion::kDefault || version > tls.max_version) {
      tls.max_version = version;
    }
  }
}

}  // namespace

bool ReadSsl(FieldReader& parent, TlsConfig& tls) {
  const ConfigNode* const node = parent.Node("ssl");
  if (node == nullptr || node->is_null()) return false;
  FieldReader fields(*node, parent.PathOf("ssl"), parent.problems());
  const bool enabled = fields.Bool("enabled", true);
  ReadAuthorities(fields, tls);
  ReadFingerprint(fields, tls);
  ReadPem(fields, "certificate", tls.cert, tls.cert_file);
  ReadPem(fields, "key", tls.key, tls.key_file);
  tls.key_passphrase = fields.String("key_passphrase");
  ReadVersions(fields, tls);
  const std::string mode =
      fields.Choice("verification_mode", "full", {"full", "strict", "certificate", "none"});
  if (mode == "none") tls.insecure_skip_verify = true;
  if (mode == "certificate") tls.any_server_name = true;
  const bool has_cert = !tls.cert.empty() || !tls.cert_file.empty();
  const bool has_key = !tls.key.empty() || !tls.key_file.empty();
  if (has_cert != has_key) {
    fields.MapError(has_cert ? "a certificate needs its key" : "a key needs its certificate",
                    has_cert ? "give key" : "give certificate");
  }
  fields.Finish();
  return enabled;
}

}  // namespace agent
