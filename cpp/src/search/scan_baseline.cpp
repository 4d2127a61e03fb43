// Scan kernels for any processor.
#define BALMER_SCAN_ISA scan_baseline
#define BALMER_SCAN_BYTES 16
#define BALMER_SCAN_TARGET
#include "search/scan_kernels.inl"
