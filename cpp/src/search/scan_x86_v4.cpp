// Scan kernels for x86-64-v4.
#if defined(__x86_64__)
#define BALMER_SCAN_ISA scan_x86_v4
#define BALMER_SCAN_BYTES 64
#if defined(__clang__)  // knows no prefer-vector-width here
#define BALMER_SCAN_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#else
#define BALMER_SCAN_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")))
#endif
#include "search/scan_kernels.inl"
#endif
