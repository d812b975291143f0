// Numbers: exp and log1p for float, which the compiler vectorises because it sees them,
// and bfloat16.

#pragma once

#include <cmath>
#include <cstdint>

template <class To, class From>
To Bits(From from) {
  return __builtin_bit_cast(To, from);
}

// What an exponential is multiplied by as long as digits could get lost: many of the
// smallest floats, which have few digits, may add up to a larger one.
template <class C>
constexpr C kLift = sizeof(C) == 4 ? 0x1p64 : 1;

// kLift exp(x + lost) for x <= 0, where lost is what rounding took from x.
inline float LiftedExp(float x, float lost) {
  // x = n log 2 + r with |r| <= log(2) / 2, so that exp(x) = 2^n exp(r). Adding
  // 1.5 * 2^23 rounds to a whole number, and leaves n + 64 in the lowest bits.
  const float shift = 0x1.8p23f + 64, shifted = x * 1.44269504f + shift;
  const float n = shifted - shift;
  const float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f + lost;
  float p = 0.00139276846f;
  p = p * r + 0.00836438069f;
  p = p * r + 0.0416665454f;
  p = p * r + 0.166665696f;
  p = p * r + 0.5f;
  p = p * r + 1;
  // 2^(n + 64) is a normal number where 2^n is none.
  const float power = Bits<float>((Bits<uint32_t>(shifted) << 23) + (127u << 23));
  return x < -120 ? 0 : (p * r + 1) * power;
}
inline double LiftedExp(double x, double lost) {
  return x < -746 ? 0 : std::exp(x) * (1 + lost);
}

template <class C>
C Exp(C x) {
  return LiftedExp(x, C(0)) / kLift<C>;
}

// log(1 + x) for 0 <= x <= 1, as 2 atanh(s) with s = x / (2 + x) <= 1/3.
inline float Log1p(float x) {
  const float s = x / (2 + x), t = s * s;
  float p = 0.116121646f;
  p = p * t + 0.108532879f;
  p = p * t + 0.14296179f;
  p = p * t + 0.199998532f;
  p = p * t + 0.333333337f;
  return 2 * s + 2 * s * (t * p);
}
inline double Log1p(double x) { return std::log1p(x); }

struct Bfloat16 {  // the upper half of a float
  uint16_t bits;
  Bfloat16() = default;
  Bfloat16(float x) {
    const uint32_t wide = Bits<uint32_t>(x);
    bits = x == x ? (wide + 0x7fff + (wide >> 16 & 1)) >> 16 : 0x7fc0;
  }
  operator float() const { return Bits<float>(uint32_t{bits} << 16); }
};
