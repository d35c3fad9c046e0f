// A connection of OpenSSL's as a transport. For tls_client.cc alone.

#pragma once

#include <memory>

#include "base/net/openssl.h"
#include "base/net/transport.h"

namespace agent {

std::unique_ptr<Transport> MakeTlsTransport(openssl::SslPtr ssl);

}  // namespace agent
