// Batches of disk buffers as text, for people.

#pragma once

#include <string>

#include "outputs/buffer/block_format.h"

namespace agent {

// Prints the entries of a batch on standard output, each as JSON on a line.
using BatchPrinter = void (*)(const StoredBatch& batch);

// Of the batches of that kind of output; of one that nobody here can read, it prints sizes.
BatchPrinter PrinterOf(const std::string& kind);

}  // namespace agent
