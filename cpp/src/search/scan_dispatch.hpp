// The scan kernels of the instruction set in use.
#pragma once

#include "search/scan_kernels.hpp"

namespace balmer::search {

[[nodiscard]] const ScanKernels& scan_kernels();

}  // namespace balmer::search
