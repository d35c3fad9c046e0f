// A syslog message written anew, for `use_rfc5424_message`.

#pragma once

#include <string>

#include "agent/receivers/syslog/syslog_message.h"

namespace agent {

// As Promtail writes an RFC 5424 message that it has read: the fraction of the second without zeros
// at its end and with six digits at most, elements and their parameters sorted by name. For one
// without an error.
std::string FormatRfc5424(const SyslogMessage& message);

}  // namespace agent
