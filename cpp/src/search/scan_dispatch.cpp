#include "search/scan_dispatch.hpp"

#include "balmer/eval/isa.hpp"

namespace balmer::search {

const ScanKernels& scan_kernels() {
#if defined(__x86_64__)
    const std::string_view set = isa();
    if (set == "x86-64-v4") return scan_x86_v4::kernels();
    if (set == "x86-64-v3") return scan_x86_v3::kernels();
#endif
    return scan_baseline::kernels();
}

}  // namespace balmer::search
