// Scan kernels for x86-64-v3.
#if defined(__x86_64__)
#define BALMER_SCAN_ISA scan_x86_v3
#define BALMER_SCAN_BYTES 32
#define BALMER_SCAN_TARGET __attribute__((target("avx2,fma")))
#include "search/scan_kernels.inl"
#endif
