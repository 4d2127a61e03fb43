// Registers of AVX2 with FMA: 32 bytes. Included inside an anonymous namespace.

template <class T>
struct Native;

template <>
struct Native<double> {
    using Real = double __attribute__((vector_size(32)));
    using Integer = std::uint64_t __attribute__((vector_size(32)));
    using Truth = Real;  ///< only the highest bit of a lane counts
    static constexpr bool kSplits = false;
    static constexpr int kSize = 4;

    static Real broadcast(double x) noexcept { return _mm256_set1_pd(x); }
    static Real load(const double* p) noexcept { return _mm256_loadu_pd(p); }
    static void store(double* p, Real x) noexcept { _mm256_storeu_pd(p, x); }
    static void stream(double* p, Real x) noexcept { _mm256_stream_pd(p, x); }
    static Integer to_bits(Real x) noexcept { return (Integer)x; }
    static Truth highest_bit(Integer x) noexcept { return (Real)x; }
    static Real from_bits(Integer x) noexcept { return (Real)x; }
    static Real select(Truth m, Real x, Real y) noexcept { return _mm256_blendv_pd(y, x, m); }
    static Truth less(Real x, Real y) noexcept { return _mm256_cmp_pd(x, y, _CMP_LT_OQ); }
    static Truth less_equal(Real x, Real y) noexcept { return _mm256_cmp_pd(x, y, _CMP_LE_OQ); }
    static Truth equal(Real x, Real y) noexcept { return _mm256_cmp_pd(x, y, _CMP_EQ_OQ); }
    static Truth both(Truth x, Truth y) noexcept { return _mm256_and_pd(x, y); }
    static Truth either(Truth x, Truth y) noexcept { return _mm256_or_pd(x, y); }
    static Truth negate(Truth x) noexcept { return (Real) ~(Integer)x; }
    static bool any(Truth x) noexcept { return _mm256_movemask_pd(x) != 0; }
    static unsigned lanes(Truth x) noexcept { return static_cast<unsigned>(_mm256_movemask_pd(x)); }
    static Real round(Real x) noexcept { return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static Real floor(Real x) noexcept { return _mm256_round_pd(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
    static Real ceil(Real x) noexcept { return _mm256_round_pd(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
    static Real fma(Real x, Real y, Real z) noexcept { return _mm256_fmadd_pd(x, y, z); }
    static Real fnma(Real x, Real y, Real z) noexcept { return _mm256_fnmadd_pd(x, y, z); }
    static Real lesser(Real x, Real y) noexcept { return _mm256_min_pd(x, y); }
    static Real sqrt(Real x) noexcept { return _mm256_sqrt_pd(x); }
};

template <>
struct Native<float> {
    using Real = float __attribute__((vector_size(32)));
    using Integer = std::uint32_t __attribute__((vector_size(32)));
    using Truth = Real;  ///< only the highest bit of a lane counts
    static constexpr bool kSplits = false;
    static constexpr int kSize = 8;

    static Real broadcast(float x) noexcept { return _mm256_set1_ps(x); }
    static Real load(const float* p) noexcept { return _mm256_loadu_ps(p); }
    static void store(float* p, Real x) noexcept { _mm256_storeu_ps(p, x); }
    static void stream(float* p, Real x) noexcept { _mm256_stream_ps(p, x); }
    static Integer to_bits(Real x) noexcept { return (Integer)x; }
    static Truth highest_bit(Integer x) noexcept { return (Real)x; }
    static Real from_bits(Integer x) noexcept { return (Real)x; }
    static Real select(Truth m, Real x, Real y) noexcept { return _mm256_blendv_ps(y, x, m); }
    static Truth less(Real x, Real y) noexcept { return _mm256_cmp_ps(x, y, _CMP_LT_OQ); }
    static Truth less_equal(Real x, Real y) noexcept { return _mm256_cmp_ps(x, y, _CMP_LE_OQ); }
    static Truth equal(Real x, Real y) noexcept { return _mm256_cmp_ps(x, y, _CMP_EQ_OQ); }
    static Truth both(Truth x, Truth y) noexcept { return _mm256_and_ps(x, y); }
    static Truth either(Truth x, Truth y) noexcept { return _mm256_or_ps(x, y); }
    static Truth negate(Truth x) noexcept { return (Real) ~(Integer)x; }
    static bool any(Truth x) noexcept { return _mm256_movemask_ps(x) != 0; }
    static unsigned lanes(Truth x) noexcept { return static_cast<unsigned>(_mm256_movemask_ps(x)); }
    static Real round(Real x) noexcept { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static Real floor(Real x) noexcept { return _mm256_round_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
    static Real ceil(Real x) noexcept { return _mm256_round_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
    static Real fma(Real x, Real y, Real z) noexcept { return _mm256_fmadd_ps(x, y, z); }
    static Real fnma(Real x, Real y, Real z) noexcept { return _mm256_fnmadd_ps(x, y, z); }
    static Real lesser(Real x, Real y) noexcept { return _mm256_min_ps(x, y); }
    static Real sqrt(Real x) noexcept { return _mm256_sqrt_ps(x); }
    static Native<double>::Real low_half(Real x) noexcept { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
    static Native<double>::Real high_half(Real x) noexcept { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
    static Real narrow(Native<double>::Real low, Native<double>::Real high) noexcept {
        return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
    }
};
