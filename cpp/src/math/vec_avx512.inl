// Registers of AVX-512 (F, BW, CD, DQ, VL): 64 bytes, comparisons in mask registers. Included inside an anonymous
// namespace.

template <class T>
struct Native;

template <>
struct Native<double> {
    using Real = double __attribute__((vector_size(64)));
    using Integer = std::uint64_t __attribute__((vector_size(64)));
    using Truth = __mmask8;
    static constexpr bool kSplits = true;  ///< has `scale`, `mantissa` and `exponent`
    static constexpr int kSize = 8;

    static Real broadcast(double x) noexcept { return _mm512_set1_pd(x); }
    static Real load(const double* p) noexcept { return _mm512_loadu_pd(p); }
    static void store(double* p, Real x) noexcept { _mm512_storeu_pd(p, x); }
    static void stream(double* p, Real x) noexcept { _mm512_stream_pd(p, x); }
    static Integer to_bits(Real x) noexcept { return (Integer)x; }
    static Truth highest_bit(Integer x) noexcept { return _mm512_movepi64_mask((__m512i)x); }
    static Real from_bits(Integer x) noexcept { return (Real)x; }
    static Real select(Truth m, Real x, Real y) noexcept { return _mm512_mask_blend_pd(m, y, x); }
    static Truth less(Real x, Real y) noexcept { return _mm512_cmp_pd_mask(x, y, _CMP_LT_OQ); }
    static Truth less_equal(Real x, Real y) noexcept { return _mm512_cmp_pd_mask(x, y, _CMP_LE_OQ); }
    static Truth equal(Real x, Real y) noexcept { return _mm512_cmp_pd_mask(x, y, _CMP_EQ_OQ); }
    static Truth both(Truth x, Truth y) noexcept { return static_cast<Truth>(x & y); }
    static Truth either(Truth x, Truth y) noexcept { return static_cast<Truth>(x | y); }
    static Truth negate(Truth x) noexcept { return static_cast<Truth>(~x); }
    static bool any(Truth x) noexcept { return x != 0; }
    static unsigned lanes(Truth x) noexcept { return x; }
    static Real round(Real x) noexcept {
        return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    static Real floor(Real x) noexcept { return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
    static Real ceil(Real x) noexcept { return _mm512_roundscale_pd(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
    static Real fma(Real x, Real y, Real z) noexcept { return _mm512_fmadd_pd(x, y, z); }
    static Real fnma(Real x, Real y, Real z) noexcept { return _mm512_fnmadd_pd(x, y, z); }
    static Real lesser(Real x, Real y) noexcept { return _mm512_min_pd(x, y); }
    static Real sqrt(Real x) noexcept { return _mm512_sqrt_pd(x); }
    static Real scale(Real x, Real n) noexcept { return _mm512_scalef_pd(x, n); }
    static Real mantissa(Real x) noexcept { return _mm512_getmant_pd(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan); }
    static Real exponent(Real x) noexcept { return _mm512_getexp_pd(x); }
    /// NaN passes: of unordered operands the instructions take the second.
    static Real clamp(Real x, Real low, Real high) noexcept { return _mm512_min_pd(high, _mm512_max_pd(low, x)); }
};

template <>
struct Native<float> {
    using Real = float __attribute__((vector_size(64)));
    using Integer = std::uint32_t __attribute__((vector_size(64)));
    using Truth = __mmask16;
    static constexpr bool kSplits = true;  ///< has `scale`, `mantissa` and `exponent`
    static constexpr int kSize = 16;

    static Real broadcast(float x) noexcept { return _mm512_set1_ps(x); }
    static Real load(const float* p) noexcept { return _mm512_loadu_ps(p); }
    static void store(float* p, Real x) noexcept { _mm512_storeu_ps(p, x); }
    static void stream(float* p, Real x) noexcept { _mm512_stream_ps(p, x); }
    static Integer to_bits(Real x) noexcept { return (Integer)x; }
    static Truth highest_bit(Integer x) noexcept { return _mm512_movepi32_mask((__m512i)x); }
    static Real from_bits(Integer x) noexcept { return (Real)x; }
    static Real select(Truth m, Real x, Real y) noexcept { return _mm512_mask_blend_ps(m, y, x); }
    static Truth less(Real x, Real y) noexcept { return _mm512_cmp_ps_mask(x, y, _CMP_LT_OQ); }
    static Truth less_equal(Real x, Real y) noexcept { return _mm512_cmp_ps_mask(x, y, _CMP_LE_OQ); }
    static Truth equal(Real x, Real y) noexcept { return _mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ); }
    static Truth both(Truth x, Truth y) noexcept { return static_cast<Truth>(x & y); }
    static Truth either(Truth x, Truth y) noexcept { return static_cast<Truth>(x | y); }
    static Truth negate(Truth x) noexcept { return static_cast<Truth>(~x); }
    static bool any(Truth x) noexcept { return x != 0; }
    static unsigned lanes(Truth x) noexcept { return x; }
    static Real round(Real x) noexcept {
        return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    static Real floor(Real x) noexcept { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
    static Real ceil(Real x) noexcept { return _mm512_roundscale_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
    static Real fma(Real x, Real y, Real z) noexcept { return _mm512_fmadd_ps(x, y, z); }
    static Real fnma(Real x, Real y, Real z) noexcept { return _mm512_fnmadd_ps(x, y, z); }
    static Real lesser(Real x, Real y) noexcept { return _mm512_min_ps(x, y); }
    static Real sqrt(Real x) noexcept { return _mm512_sqrt_ps(x); }
    static Real scale(Real x, Real n) noexcept { return _mm512_scalef_ps(x, n); }
    static Real mantissa(Real x) noexcept { return _mm512_getmant_ps(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan); }
    static Real exponent(Real x) noexcept { return _mm512_getexp_ps(x); }
    /// NaN passes: of unordered operands the instructions take the second.
    static Real clamp(Real x, Real low, Real high) noexcept { return _mm512_min_ps(high, _mm512_max_ps(low, x)); }
    static Native<double>::Real low_half(Real x) noexcept { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
    static Native<double>::Real high_half(Real x) noexcept { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }
    static Real narrow(Native<double>::Real low, Native<double>::Real high) noexcept {
        return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
    }
};
