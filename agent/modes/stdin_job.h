// What standard input is read through: the first job's pipeline and labels.

#pragma once

#include "agent/config/config.h"
#include "base/labels.h"

namespace agent {

// Takes the disk buffers away: the process ends when the receivers have everything, and another
// agent may be running beside it.
void SendStraight(Config& config);

// Leaves `config` without disk buffers, and with one job: its first one, or, when it has none, one
// without stages called "stdin". Returns the labels that entries start with: those of all the job's
// static_configs, later ones over earlier ones, `__` labels kept; without a job, job="stdin" and
// the host's name.
Labels MakeStdinJob(Config& config);

}  // namespace agent
