// Registers of NEON on 64-bit ARM: 16 bytes. Included inside an anonymous namespace.

template <class T>
struct Native;

template <>
struct Native<double> {
    using Real = float64x2_t;
    using Integer = uint64x2_t;
    using Truth = Integer;  ///< all bits of a lane set, or none
    static constexpr bool kSplits = false;
    static constexpr int kSize = 2;

    static Real broadcast(double x) noexcept { return vdupq_n_f64(x); }
    static Real load(const double* p) noexcept { return vld1q_f64(p); }
    static void store(double* p, Real x) noexcept { vst1q_f64(p, x); }
    static void stream(double* p, Real x) noexcept { store(p, x); }
    static Integer to_bits(Real x) noexcept { return vreinterpretq_u64_f64(x); }
    static Truth highest_bit(Integer x) noexcept { return vcltzq_s64(vreinterpretq_s64_u64(x)); }
    static Real from_bits(Integer x) noexcept { return vreinterpretq_f64_u64(x); }
    static Real select(Truth m, Real x, Real y) noexcept { return vbslq_f64(m, x, y); }
    static Truth less(Real x, Real y) noexcept { return vcltq_f64(x, y); }
    static Truth less_equal(Real x, Real y) noexcept { return vcleq_f64(x, y); }
    static Truth equal(Real x, Real y) noexcept { return vceqq_f64(x, y); }
    static Truth both(Truth x, Truth y) noexcept { return vandq_u64(x, y); }
    static Truth either(Truth x, Truth y) noexcept { return vorrq_u64(x, y); }
    static Truth negate(Truth x) noexcept { return ~x; }
    static bool any(Truth x) noexcept { return vmaxvq_u32(vreinterpretq_u32_u64(x)) != 0; }
    static unsigned lanes(Truth x) noexcept {
        unsigned result = 0;
        for (int i = 0; i < kSize; ++i) result |= static_cast<unsigned>(x[i] & 1U) << i;
        return result;
    }
    static Real round(Real x) noexcept { return vrndnq_f64(x); }
    static Real floor(Real x) noexcept { return vrndmq_f64(x); }
    static Real ceil(Real x) noexcept { return vrndpq_f64(x); }
    static Real fma(Real x, Real y, Real z) noexcept { return vfmaq_f64(z, x, y); }
    static Real fnma(Real x, Real y, Real z) noexcept { return vfmsq_f64(z, x, y); }
    static Real lesser(Real x, Real y) noexcept { return vbslq_f64(vcltq_f64(x, y), x, y); }
    static Real sqrt(Real x) noexcept { return vsqrtq_f64(x); }
};

template <>
struct Native<float> {
    using Real = float32x4_t;
    using Integer = uint32x4_t;
    using Truth = Integer;  ///< all bits of a lane set, or none
    static constexpr bool kSplits = false;
    static constexpr int kSize = 4;

    static Real broadcast(float x) noexcept { return vdupq_n_f32(x); }
    static Real load(const float* p) noexcept { return vld1q_f32(p); }
    static void store(float* p, Real x) noexcept { vst1q_f32(p, x); }
    static void stream(float* p, Real x) noexcept { store(p, x); }
    static Integer to_bits(Real x) noexcept { return vreinterpretq_u32_f32(x); }
    static Truth highest_bit(Integer x) noexcept { return vcltzq_s32(vreinterpretq_s32_u32(x)); }
    static Real from_bits(Integer x) noexcept { return vreinterpretq_f32_u32(x); }
    static Real select(Truth m, Real x, Real y) noexcept { return vbslq_f32(m, x, y); }
    static Truth less(Real x, Real y) noexcept { return vcltq_f32(x, y); }
    static Truth less_equal(Real x, Real y) noexcept { return vcleq_f32(x, y); }
    static Truth equal(Real x, Real y) noexcept { return vceqq_f32(x, y); }
    static Truth both(Truth x, Truth y) noexcept { return vandq_u32(x, y); }
    static Truth either(Truth x, Truth y) noexcept { return vorrq_u32(x, y); }
    static Truth negate(Truth x) noexcept { return ~x; }
    static bool any(Truth x) noexcept { return vmaxvq_u32(x) != 0; }
    static unsigned lanes(Truth x) noexcept {
        unsigned result = 0;
        for (int i = 0; i < kSize; ++i) result |= static_cast<unsigned>(x[i] & 1U) << i;
        return result;
    }
    static Real round(Real x) noexcept { return vrndnq_f32(x); }
    static Real floor(Real x) noexcept { return vrndmq_f32(x); }
    static Real ceil(Real x) noexcept { return vrndpq_f32(x); }
    static Real fma(Real x, Real y, Real z) noexcept { return vfmaq_f32(z, x, y); }
    static Real fnma(Real x, Real y, Real z) noexcept { return vfmsq_f32(z, x, y); }
    static Real lesser(Real x, Real y) noexcept { return vbslq_f32(vcltq_f32(x, y), x, y); }
    static Real sqrt(Real x) noexcept { return vsqrtq_f32(x); }
    static Native<double>::Real low_half(Real x) noexcept { return vcvt_f64_f32(vget_low_f32(x)); }
    static Native<double>::Real high_half(Real x) noexcept { return vcvt_high_f64_f32(x); }
    static Real narrow(Native<double>::Real low, Native<double>::Real high) noexcept {
        return vcvt_high_f32_f64(vcvt_f32_f64(low), high);
    }
};
