// Polynomials and split constants of the vector math, highest power first. Made by coefficients.py.

template <class T>
inline constexpr T kExp[] = {0};
// (e^r - 1 - r) / r^2 on [-0.34692, 0.34692], off by 1.4e-18
template <>
inline constexpr double kExp<double>[] = {0x1.1f7340dbc337ep-29, 0x1.af4e554377204p-26, 0x1.27e4db46cddd1p-22, 0x1.71de01fdbf9cap-19, 0x1.a01a01a6e1e2ap-16, 0x1.a01a01abf85abp-13, 0x1.6c16c16c162c3p-10, 0x1.11111111100bep-7, 0x1.5555555555556p-5, 0x1.5555555555557p-3, 0x1.0000000000000p-1};
// (e^r - 1 - r) / r^2 on [-0.34692, 0.34692], off by 1.4e-9
template <>
inline constexpr float kExp<float>[] = {0x1.a1256c0000000p-13f, 0x1.6d43b00000000p-10f, 0x1.1110e00000000p-7f, 0x1.5554e80000000p-5f, 0x1.5555560000000p-3f, 0x1.0000000000000p-1f};

template <class T>
inline constexpr T kSinh[] = {0};
// (sinh r / r - 1) / r^2 in r^2 on [0.0, 0.12035], off by 7.9e-18
template <>
inline constexpr double kSinh<double>[] = {0x1.af390ba7e6f47p-26, 0x1.71de0d85293b8p-19, 0x1.a01a01a7cebcdp-13, 0x1.11111111109a6p-7, 0x1.5555555555556p-3};
// (sinh r / r - 1) / r^2 in r^2 on [0.0, 0.12035], off by 1.5e-10
template <>
inline constexpr float kSinh<float>[] = {0x1.a1256c0000000p-13f, 0x1.1110e00000000p-7f, 0x1.5555560000000p-3f};

template <class T>
inline constexpr T kCosh[] = {0};
// (cosh r - 1) / r^2 in r^2 on [0.0, 0.12035], off by 1.7e-20
template <>
inline constexpr double kCosh<double>[] = {0x1.1f7f6aa421dd8p-29, 0x1.27e4d3f50d87fp-22, 0x1.a01a01a9f72adp-16, 0x1.6c16c16c15a48p-10, 0x1.5555555555557p-5, 0x1.0000000000000p-1};
// (cosh r - 1) / r^2 in r^2 on [0.0, 0.12035], off by 1.4e-9
template <>
inline constexpr float kCosh<float>[] = {0x1.6d43b00000000p-10f, 0x1.5554e80000000p-5f, 0x1.0000000000000p-1f};

template <class T>
inline constexpr T kLogOdd[] = {0};
// (log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2 on [0.0, 0.0401], off by 2.6e-17
template <>
inline constexpr double kLogOdd<double>[] = {0x1.16b68338bd78bp-3, 0x1.0e88ea4725d3dp-3, 0x1.3b29fcbbce66dp-3, 0x1.745cab2727663p-3, 0x1.c71c72e2f78d5p-3, 0x1.24924923dba6ap-2, 0x1.9999999999f30p-2, 0x1.5555555555555p-1};
// (log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2 on [0.0, 0.0401], off by 4.1e-9
template <>
inline constexpr float kLogOdd<float>[] = {0x1.e66d700000000p-3f, 0x1.242c5a0000000p-2f, 0x1.999a6c0000000p-2f, 0x1.5555560000000p-1f};

template <class T>
inline constexpr T kShortLogOdd[] = {0};
// the same to 40 bits on [0.0, 0.0401], off by 3.1e-13
template <>
inline constexpr double kShortLogOdd<double>[] = {0x1.5e3af68249425p-3, 0x1.72be46e4ffadap-3, 0x1.c7252825eaa80p-3, 0x1.24923e9b3f973p-2, 0x1.999999a2e50dap-2, 0x1.5555555554abap-1};

template <class T>
inline constexpr T kShortExp[] = {0};
// (e^r - 1 - r) / r^2 to 40 bits on [-0.34692, 0.34692], off by 4.7e-13
template <>
inline constexpr double kShortExp<double>[] = {0x1.72ada50a7cd68p-19, 0x1.a137426f16cfcp-16, 0x1.a019c3324fe13p-13, 0x1.6c166b8f94446p-10, 0x1.11111117140a3p-7, 0x1.55555565dead9p-5, 0x1.5555555554f8cp-3, 0x1.fffffffffe028p-2};

template <class T>
inline constexpr T kLog[] = {0};
// (log(1 + f) - f + f^2 / 2) / f^3 on [-0.2501, 0.5001], off by 4.6e-9
template <>
inline constexpr float kLog<float>[] = {-0x1.26ecbc0000000p-5f, 0x1.59e7c60000000p-4f, -0x1.b0760a0000000p-4f, 0x1.ce9e040000000p-4f, -0x1.ff6bb80000000p-4f, 0x1.2462000000000p-3f, -0x1.5554fc0000000p-3f, 0x1.999a580000000p-3f, -0x1.0000020000000p-2f, 0x1.5555560000000p-2f};

template <class T>
inline constexpr T kLogTail[] = {0};
// (log((1 + s) / (1 - s)) / s - 2 - 2 s^2 / 3) / s^4 in s^2, to 64 bits on [0.0, 0.0401], off by 2.2e-19
template <>
inline constexpr double kLogTail<double>[] = {0x1.cd16199869f75p-4, 0x1.a9a5d13ac3beep-4, 0x1.e21bf82d71e85p-4, 0x1.11105fcae6a57p-3, 0x1.3b13b3b48c8c1p-3, 0x1.745d1740dc734p-3, 0x1.c71c71c721697p-3, 0x1.2492492492483p-2, 0x1.999999999999ap-2};

template <class T>
inline constexpr T kSin[] = {0};
// (sin r / r - 1) / r^2 in r^2 on [0.0, 0.61932], off by 1.2e-20
template <>
inline constexpr double kSin<double>[] = {-0x1.ab145b1e8956cp-41, 0x1.612179248c38dp-33, -0x1.ae64540b4f0a5p-26, 0x1.71de3a545c479p-19, -0x1.a01a01a019914p-13, 0x1.1111111111110p-7, -0x1.5555555555555p-3};
// (sin r / r - 1) / r^2 in r^2 on [0.0, 0.61932], off by 2.9e-11
template <>
inline constexpr float kSin<float>[] = {0x1.6db9d40000000p-19f, -0x1.a0139a0000000p-13f, 0x1.11110e0000000p-7f, -0x1.5555560000000p-3f};

template <class T>
inline constexpr T kHalfTurnSin[] = {0};
// (sin r / r - 1) / r^2 in r^2 on [0.0, 2.4773], off by 3.5e-19
template <>
inline constexpr double kHalfTurnSin<double>[] = {0x1.8998e1d239661p-49, -0x1.ae50db30e8f2cp-41, 0x1.61240035bb9dep-33, -0x1.ae64559e4b6cbp-26, 0x1.71de3a5450dd2p-19, -0x1.a01a01a018a28p-13, 0x1.1111111111105p-7, -0x1.5555555555555p-3};
// (sin r / r - 1) / r^2 in r^2 on [0.0, 2.4773], off by 2.8e-11
template <>
inline constexpr float kHalfTurnSin<float>[] = {-0x1.9da1060000000p-26f, 0x1.7196000000000p-19f, -0x1.a019020000000p-13f, 0x1.1111100000000p-7f, -0x1.5555560000000p-3f};

template <class T>
inline constexpr T kCos[] = {0};
// (cos r - 1 + r^2 / 2) / r^4 in r^2 on [0.0, 0.61932], off by 1.3e-18
template <>
inline constexpr double kCos<double>[] = {-0x1.907a79c8eac8ap-37, 0x1.1eeb64833d3cep-29, -0x1.27e4fa139f5c1p-22, 0x1.a01a019f4b6b8p-16, -0x1.6c16c16c16959p-10, 0x1.5555555555555p-5};
// (cos r - 1 + r^2 / 2) / r^4 in r^2 on [0.0, 0.61932], off by 2.0e-9
template <>
inline constexpr float kCos<float>[] = {0x1.9bd4460000000p-16f, -0x1.6c12ca0000000p-10f, 0x1.5555540000000p-5f};

template <class T>
inline constexpr T kAsin[] = {0};
// (asin x / x - 1) / x^2 in x^2 on [0.0, 0.2501], off by 1.5e-17
template <>
inline constexpr double kAsin<double>[] = {0x1.d78189767524ep-6, -0x1.e7a24f548c99fp-7, 0x1.1d661531b222ep-6, 0x1.653a8f8cfd43cp-8, 0x1.524ea8b3aad31p-7, 0x1.78246f32d075cp-7, 0x1.c9cf3759fd8ffp-7, 0x1.1c4d343fa57f6p-6, 0x1.6e8bb1d89492bp-6, 0x1.f1c71c1d4aa0dp-6, 0x1.6db6db6e3292ep-5, 0x1.3333333332ec4p-4, 0x1.5555555555556p-3};
// (asin x / x - 1) / x^2 in x^2 on [0.0, 0.2501], off by 4.2e-9
template <>
inline constexpr float kAsin<float>[] = {0x1.14138c0000000p-5f, 0x1.18e1f60000000p-6f, 0x1.fd921a0000000p-6f, 0x1.6d5b8e0000000p-5f, 0x1.3334320000000p-4f, 0x1.5555540000000p-3f};

template <class T>
inline constexpr T kAtan[] = {0};
// (atan x / x - 1) / x^2 in x^2 on [0.0, 1.0001], off by 5.1e-18
template <>
inline constexpr double kAtan<double>[] = {-0x1.8ccc4c45e6a79p-17, 0x1.1ee60bc55eb27p-13, -0x1.8a0592a7a7497p-11, 0x1.57af9ea47af7cp-9, -0x1.aed61f26b7ce1p-8, 0x1.a1eb7623a5d77p-7, -0x1.4b8d5b36b4438p-6, 0x1.c3a464eff2f85p-6, -0x1.1478b2c853099p-5, 0x1.3d3df7287c919p-5, -0x1.60eb5f4a46293p-5, 0x1.854a5a84c7716p-5, -0x1.af00b6009250cp-5, 0x1.e1dc0c3dfc996p-5, -0x1.1110bfd78e8b5p-4, 0x1.3b13aaf30b694p-4, -0x1.745d16f255565p-4, 0x1.c71c71c471b12p-4, -0x1.249249248c7bbp-3, 0x1.99999999998f8p-3, -0x1.5555555555555p-2};
// (atan x / x - 1) / x^2 in x^2 on [0.0, 1.0001], off by 2.5e-9
template <>
inline constexpr float kAtan<float>[] = {0x1.86254e0000000p-10f, -0x1.2b982c0000000p-7f, 0x1.aeee340000000p-6f, -0x1.910f6c0000000p-5f, 0x1.20053a0000000p-4f, -0x1.6dd86c0000000p-4f, 0x1.c62cc00000000p-4f, -0x1.2489500000000p-3f, 0x1.9999560000000p-3f, -0x1.5555560000000p-2f};

template <class T>
inline constexpr T kErf[] = {0};
// erf x / x - 1 in x^2 on [0.0, 1.0001], off by 1.3e-19
template <>
inline constexpr double kErf<double>[] = {0x1.05fccb83cf37bp-34, -0x1.389c36ba235e9p-30, 0x1.f7b46724de981p-27, -0x1.5f1ec38082bdcp-23, 0x1.b9df216542643p-20, -0x1.f4d1e306e0024p-17, 0x1.f9a321d4dab9dp-14, -0x1.c02db3dabced8p-11, 0x1.565bcd0dba7cep-8, -0x1.b82ce31284df1p-6, 0x1.ce2f21a042b2fp-4, -0x1.812746b0379e6p-2, 0x1.06eba8214db69p-3};
// erf x / x - 1 in x^2 on [0.0, 1.0001], off by 1.2e-9
template <>
inline constexpr float kErf<float>[] = {0x1.4a53080000000p-14f, -0x1.a44f500000000p-11f, 0x1.5412480000000p-8f, -0x1.b7fab60000000p-6f, 0x1.ce2d100000000p-4f, -0x1.81273e0000000p-2f, 0x1.06eba80000000p-3f};

template <class T>
inline constexpr T kErfcx[] = {0};
// e^(x^2) erfc(x) (1 + 2 x) in q = (x - 4) / (x + 4) on [-1.0, 0.746], off by 1.9e-18
template <>
inline constexpr double kErfcx<double>[] = {0x1.589b60cdca3b8p-30, 0x1.f8d45e60f5a46p-30, -0x1.e45a8cada179ep-27, -0x1.33dbbd64dcc5ap-26, 0x1.d8f5e0403671ep-24, 0x1.4093096b6f798p-24, -0x1.bb38582a0de11p-21, 0x1.3b7c06a29b930p-22, 0x1.7f2e8b7e1a9d5p-18, -0x1.788cb62f72f17p-17, -0x1.995a16a1eb689p-16, 0x1.3be068461ad6ap-13, -0x1.a1df1cfef283cp-13, -0x1.8d4a9c357a72cp-11, 0x1.49c67279579bap-8, -0x1.096238829a2fcp-6, 0x1.3079edf6afc20p-5, -0x1.0fb06dfe55b57p-4, 0x1.7fee004e11042p-4, -0x1.9ddb23c3e88bep-4, 0x1.16ecefcfa5420p-4, 0x1.f7f5df66fd6b2p-7, -0x1.1df1ad154a28fp-3, 0x1.3ba5916e9fd7fp+0};
// e^(x^2) erfc(x) (1 + 2 x) in q = (x - 4) / (x + 4) on [-1.0, 0.746], off by 1.0e-9
template <>
inline constexpr float kErfcx<float>[] = {0x1.07d02c0000000p-13f, -0x1.f0bcc40000000p-13f, -0x1.808f2a0000000p-11f, 0x1.4b8bcc0000000p-8f, -0x1.0998f80000000p-6f, 0x1.30655a0000000p-5f, -0x1.0fac540000000p-4f, 0x1.7fefd20000000p-4f, -0x1.9ddbc20000000p-4f, 0x1.16ecce0000000p-4f, 0x1.f7f62a0000000p-7f, -0x1.1df1ac0000000p-3f, 0x1.3ba5920000000p+0f};

template <class T>
inline constexpr T kStirling[] = {0};
// log gamma's Stirling rest times y, in 1 / y^2 on [0.0, 0.01563], off by 3.7e-17
template <>
inline constexpr double kStirling<double>[] = {-0x1.b1331e9d619bdp-10, 0x1.b6f9edce8e987p-11, -0x1.380ebc57fc1e1p-11, 0x1.a019fd32a5036p-11, -0x1.6c16c16bb60acp-9, 0x1.5555555555553p-4};

template <class T>
inline constexpr T kDigamma[] = {0};
// (log y - 1 / (2 y) - digamma y) y^2 in 1 / y^2 on [0.0, 0.01563], off by 8.7e-18
template <>
inline constexpr double kDigamma<double>[] = {0x1.04929d12e576fp-4, -0x1.531cb9e072aebp-6, 0x1.f037d01d80c24p-8, -0x1.1110b323542fbp-8, 0x1.041040c6115acp-8, -0x1.11111111095adp-7, 0x1.5555555555555p-4};

template <class T>
inline constexpr T kCbrt[] = {0};
// m^(-1/3) on [0.75, 1.5], to start from
template <>
inline constexpr double kCbrt<double>[] = {-0x1.39aedf63d5d49p-4, 0x1.0f2936ac7b235p-1, -0x1.87b983fa4468bp+0, 0x1.33593c4ae817bp+1, -0x1.23e9c2b8131c5p+1, 0x1.f4e0b6f9594fep+0};
// m^(-1/3) on [0.75, 1.5], to start from
template <>
inline constexpr float kCbrt<float>[] = {-0x1.03d9ca0000000p-3f, 0x1.386aee0000000p-1f, -0x1.2d07100000000p+0f, 0x1.b149440000000p+0f};

template <class T>
inline constexpr T kLn20 = 0;

template <class T>
inline constexpr T kLn21 = 0;
template <>
inline constexpr double kLn20<double> = 0x1.62e42fefa3800p-1;
template <>
inline constexpr double kLn21<double> = 0x1.ef35793c76730p-45;
template <>
inline constexpr float kLn20<float> = 0x1.62e4000000000p-1f;
template <>
inline constexpr float kLn21<float> = 0x1.7f7d1c0000000p-20f;

template <class T>
inline constexpr T kPi0 = 0;

template <class T>
inline constexpr T kPi1 = 0;

template <class T>
inline constexpr T kPi2 = 0;
template <>
inline constexpr double kPi0<double> = 0x1.921fb54442d18p+1;
template <>
inline constexpr double kPi1<double> = 0x1.1a62633145c07p-53;
template <>
inline constexpr double kPi2<double> = -0x1.f1976b7ed8fbcp-109;
template <>
inline constexpr float kPi0<float> = 0x1.921fb60000000p+1f;
template <>
inline constexpr float kPi1<float> = -0x1.777a5c0000000p-24f;
template <>
inline constexpr float kPi2<float> = -0x1.ee59da0000000p-49f;

template <class T>
inline constexpr T kHalfPi0 = 0;

template <class T>
inline constexpr T kHalfPi1 = 0;

template <class T>
inline constexpr T kHalfPi2 = 0;
template <>
inline constexpr double kHalfPi0<double> = 0x1.921fb54442d18p+0;
template <>
inline constexpr double kHalfPi1<double> = 0x1.1a62633145c07p-54;
template <>
inline constexpr double kHalfPi2<double> = -0x1.f1976b7ed8fbcp-110;
template <>
inline constexpr float kHalfPi0<float> = 0x1.921fb60000000p+0f;
template <>
inline constexpr float kHalfPi1<float> = -0x1.777a5c0000000p-25f;
template <>
inline constexpr float kHalfPi2<float> = -0x1.ee59da0000000p-50f;

template <class T>
inline constexpr T kLog10Two0 = 0;

template <class T>
inline constexpr T kLog10Two1 = 0;
template <>
inline constexpr double kLog10Two0<double> = 0x1.34413509f7800p-2;
template <>
inline constexpr double kLog10Two1<double> = 0x1.fef311f12b358p-46;
template <>
inline constexpr float kLog10Two0<float> = 0x1.3440000000000p-2f;
template <>
inline constexpr float kLog10Two1<float> = 0x1.3509f80000000p-18f;

template <class T>
inline constexpr T kLog10E0 = 0;

template <class T>
inline constexpr T kLog10E1 = 0;
template <>
inline constexpr double kLog10E0<double> = 0x1.bcb7b1526e50ep-2;
template <>
inline constexpr double kLog10E1<double> = 0x1.95355baaafad3p-57;
template <>
inline constexpr float kLog10E0<float> = 0x1.bcb7b20000000p-2f;
template <>
inline constexpr float kLog10E1<float> = -0x1.5b235e0000000p-27f;

template <class T>
inline constexpr T kLog2E0 = 0;

template <class T>
inline constexpr T kLog2E1 = 0;
template <>
inline constexpr double kLog2E0<double> = 0x1.71547652b82fep+0;
template <>
inline constexpr double kLog2E1<double> = 0x1.777d0ffda0d24p-56;
template <>
inline constexpr float kLog2E0<float> = 0x1.7154760000000p+0f;
template <>
inline constexpr float kLog2E1<float> = 0x1.4ae0c00000000p-26f;

template <class T>
inline constexpr T kTwoThirds0 = 0;

template <class T>
inline constexpr T kTwoThirds1 = 0;
template <>
inline constexpr double kTwoThirds0<double> = 0x1.5555555555555p-1;
template <>
inline constexpr double kTwoThirds1<double> = 0x1.5555555555555p-55;
template <>
inline constexpr float kTwoThirds0<float> = 0x1.5555560000000p-1f;
template <>
inline constexpr float kTwoThirds1<float> = -0x1.5555560000000p-26f;

/// 1 / pi, the bits after the binary point, most significant word first.
inline constexpr std::uint64_t kInversePiBits[] = {0x517cc1b727220a94u, 0xfe13abe8fa9a6ee0u, 0x6db14acc9e21c820u, 0xff28b1d5ef5de2b0u, 0xdb92371d2126e970u, 0x0324977504e8c90eu, 0x7f0ef58e5894d39fu, 0x74411afa975da242u, 0x74ce38135a2fbf20u, 0x9cc8eb1cc1a99cfau, 0x4e422fc5defc941du, 0x8ffc4bffef02cc07u, 0xf79788c5ad05368fu, 0xb69b3f6793e584dbu, 0xa7a31fb34f2ff516u, 0xba93dd63f5f2f8bdu, 0x9e839cfbc5294975u, 0x35fdafd88fc6ae84u, 0x2b0198237e3db5d5u, 0xf867de104d7a1b0eu};
