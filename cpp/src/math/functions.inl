// The functions that the table of operators names, over Vec<T> of any instruction set. Included inside an anonymous
// namespace, after a vec_*.inl. Worst errors: docs/accuracy.md.
//
// All are straight-line code of IEEE operations with explicit fma, so that every set gives the same bits. Subnormal
// numbers count as zero: the callers run with flush-to-zero and denormals-are-zero set.

#include "math/vec.inl"

#include "math/coefficients.inl"

#include "math/exp_log.inl"
#include "math/hyperbolic.inl"
#include "math/power.inl"
#include "math/special.inl"
#include "math/trig.inl"

#undef BALMER_INLINE
