"""Operations on each element: arithmetic, comparison, exponentials, trigonometry, bits.

Names and arguments are those of `keras.ops`; the arithmetic is `jax.numpy`'s.

>>> from cornu import ops
>>> ops.add([1.0, 2.0], 3.0).tolist()
[4.0, 5.0]
>>> ops.exp(0.0).item()
1.0
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.graph.node import operation
from cornu.ops import _define
from cornu.ops._define import as_array

_unary = _define.unary(__name__)
_binary = _define.binary(__name__)

# -- arithmetic ----------------------------------------------------------------------------------

add = _binary("add", jnp.add, "The sum")
subtract = _binary("subtract", jnp.subtract, "The difference `x1 - x2`")
multiply = _binary("multiply", jnp.multiply, "The product")
divide = _binary("divide", jnp.divide, "The quotient `x1 / x2`")
true_divide = _binary("true_divide", jnp.true_divide, "The quotient `x1 / x2`")
floor_divide = _binary("floor_divide", jnp.floor_divide, "The quotient rounded down")
mod = _binary("mod", jnp.mod, "The remainder of `x1 / x2`, with the sign of `x2`")
fmod = _binary("fmod", jnp.fmod, "The remainder of `x1 / x2`, with the sign of `x1`")
power = _binary("power", jnp.power, "`x1` to the power `x2`")
maximum = _binary("maximum", jnp.maximum, "The larger one, NaN where either is")
minimum = _binary("minimum", jnp.minimum, "The smaller one, NaN where either is")
fmax = _binary("fmax", jnp.fmax, "The larger one, the number where one is NaN")
fmin = _binary("fmin", jnp.fmin, "The smaller one, the number where one is NaN")
hypot = _binary("hypot", jnp.hypot, "`sqrt(x1**2 + x2**2)`")
gcd = _binary("gcd", jnp.gcd, "The greatest common divisor of integers")
lcm = _binary("lcm", jnp.lcm, "The least common multiple of integers")
ldexp = _binary("ldexp", jnp.ldexp, "`x1 * 2**x2`, `x2` integers")
heaviside = _binary("heaviside", jnp.heaviside, "0, `x2` or 1 as `x1` is below, at or above 0")
nextafter = _binary("nextafter", jnp.nextafter, "The float next to `x1` on the way to `x2`")
logaddexp = _binary("logaddexp", jnp.logaddexp, "`log(exp(x1) + exp(x2))` without overflow")
logaddexp2 = _binary("logaddexp2", jnp.logaddexp2, "`log2(2**x1 + 2**x2)` without overflow")
arctan2 = _binary("arctan2", jnp.arctan2, "The angle of the point `(x2, x1)`, in radians")

negative = _unary("negative", jnp.negative, "`-x`")
absolute = _unary("absolute", jnp.absolute, "The absolute value")
abs = _unary("abs", jnp.absolute, "The absolute value")
fabs = _unary("fabs", jnp.fabs, "The absolute value as a float")
sign = _unary("sign", jnp.sign, "-1, 0 or 1 as the element is negative, zero or positive")
signbit = _unary("signbit", jnp.signbit, "Whether the sign bit is set")
square = _unary("square", jnp.square, "The square")
sqrt = _unary("sqrt", jnp.sqrt, "The square root")
rsqrt = _unary("rsqrt", lambda x: jax.lax.rsqrt(jnp.asarray(x)), "1 / square root")
cbrt = _unary("cbrt", jnp.cbrt, "The cube root")
reciprocal = _unary("reciprocal", jnp.reciprocal, "`1 / x`")
ceil = _unary("ceil", jnp.ceil, "The nearest integer above, as a float")
floor = _unary("floor", jnp.floor, "The nearest integer below, as a float")
trunc = _unary("trunc", jnp.trunc, "The integer part")
real = _unary("real", jnp.real, "The real part")
imag = _unary("imag", jnp.imag, "The imaginary part")
conj = _unary("conj", jnp.conjugate, "The complex conjugate")
conjugate = _unary("conjugate", jnp.conjugate, "The complex conjugate")
angle = _unary("angle", jnp.angle, "The angle of a complex number, in radians")

# -- exponentials and their like -----------------------------------------------------------------

exp = _unary("exp", jnp.exp, "e to the power x")
exp2 = _unary("exp2", jnp.exp2, "2 to the power x")
expm1 = _unary("expm1", jnp.expm1, "`exp(x) - 1`, exact near 0")
log = _unary("log", jnp.log, "The natural logarithm")
log2 = _unary("log2", jnp.log2, "The logarithm to base 2")
log10 = _unary("log10", jnp.log10, "The logarithm to base 10")
log1p = _unary("log1p", jnp.log1p, "`log(1 + x)`, exact near 0")
erf = _unary("erf", lambda x: jax.lax.erf(jnp.asarray(x)), "The error function")
erfc = _unary("erfc", jax.scipy.special.erfc, "1 - the error function")
erfinv = _unary("erfinv", jax.scipy.special.erfinv, "The inverse of the error function")
i0 = _unary("i0", jnp.i0, "The modified Bessel function of the first kind, order 0")

# -- trigonometry --------------------------------------------------------------------------------

sin = _unary("sin", jnp.sin, "The sine of an angle in radians")
cos = _unary("cos", jnp.cos, "The cosine of an angle in radians")
tan = _unary("tan", jnp.tan, "The tangent of an angle in radians")
arcsin = _unary("arcsin", jnp.arcsin, "The inverse sine, in radians")
arccos = _unary("arccos", jnp.arccos, "The inverse cosine, in radians")
arctan = _unary("arctan", jnp.arctan, "The inverse tangent, in radians")
sinh = _unary("sinh", jnp.sinh, "The hyperbolic sine")
cosh = _unary("cosh", jnp.cosh, "The hyperbolic cosine")
tanh = _unary("tanh", jnp.tanh, "The hyperbolic tangent")
arcsinh = _unary("arcsinh", jnp.arcsinh, "The inverse hyperbolic sine")
arccosh = _unary("arccosh", jnp.arccosh, "The inverse hyperbolic cosine")
arctanh = _unary("arctanh", jnp.arctanh, "The inverse hyperbolic tangent")
sinc = _unary("sinc", jnp.sinc, "`sin(pi x) / (pi x)`")
deg2rad = _unary("deg2rad", jnp.deg2rad, "Degrees as radians")
rad2deg = _unary("rad2deg", jnp.rad2deg, "Radians as degrees")

# -- comparison and logic ------------------------------------------------------------------------

equal = _binary("equal", jnp.equal, "Whether `x1 == x2`")
not_equal = _binary("not_equal", jnp.not_equal, "Whether `x1 != x2`")
greater = _binary("greater", jnp.greater, "Whether `x1 > x2`")
greater_equal = _binary("greater_equal", jnp.greater_equal, "Whether `x1 >= x2`")
less = _binary("less", jnp.less, "Whether `x1 < x2`")
less_equal = _binary("less_equal", jnp.less_equal, "Whether `x1 <= x2`")
logical_and = _binary("logical_and", jnp.logical_and, "Whether both are true")
logical_or = _binary("logical_or", jnp.logical_or, "Whether at least one is true")
logical_xor = _binary("logical_xor", jnp.logical_xor, "Whether exactly one is true")
logical_not = _unary("logical_not", jnp.logical_not, "Whether it is false")
isnan = _unary("isnan", jnp.isnan, "Whether it is NaN")
isinf = _unary("isinf", jnp.isinf, "Whether it is infinite")
isposinf = _unary("isposinf", jnp.isposinf, "Whether it is positive infinity")
isneginf = _unary("isneginf", jnp.isneginf, "Whether it is negative infinity")
isfinite = _unary("isfinite", jnp.isfinite, "Whether it is neither infinite nor NaN")
isreal = _unary("isreal", jnp.isreal, "Whether its imaginary part is 0")

# -- bits ----------------------------------------------------------------------------------------


def _bits(name, function, summary):
    doc = f"{summary}, element by element, of integer arrays `x` and `y` whose shapes broadcast."
    return _define.named(
        lambda x, y: function(as_array(x), as_array(y)), name, doc, module=__name__
    )


bitwise_and = _bits("bitwise_and", jnp.bitwise_and, "Bits set in both")
bitwise_or = _bits("bitwise_or", jnp.bitwise_or, "Bits set in at least one")
bitwise_xor = _bits("bitwise_xor", jnp.bitwise_xor, "Bits set in exactly one")
bitwise_left_shift = _bits("bitwise_left_shift", jnp.left_shift, "`x` shifted left by `y` bits")
bitwise_right_shift = _bits("bitwise_right_shift", jnp.right_shift, "`x` shifted right by `y` bits")
left_shift = _bits("left_shift", jnp.left_shift, "`x` shifted left by `y` bits")
right_shift = _bits("right_shift", jnp.right_shift, "`x` shifted right by `y` bits")
bitwise_not = _unary("bitwise_not", jnp.invert, "The bits turned over")
bitwise_invert = _unary("bitwise_invert", jnp.invert, "The bits turned over")

# -- with arguments of their own -----------------------------------------------------------------


@operation
def clip(x, x_min, x_max):
    """Each element brought into `[x_min, x_max]`.

    >>> clip([-2.0, 0.5, 9.0], 0.0, 1.0).tolist()
    [0.0, 0.5, 1.0]
    """
    x = jnp.asarray(as_array(x))
    x = x.astype("int32") if x.dtype == bool else x
    return jnp.clip(x, as_array(x_min), as_array(x_max))


@operation
def round(x, decimals=0):
    """Each element rounded to `decimals` places, halves to the even neighbour.

    >>> round([0.5, 1.5, 2.6]).tolist()
    [0.0, 2.0, 3.0]
    """
    return jnp.round(as_array(x), decimals=decimals)


@operation
def divide_no_nan(x1, x2):
    """`x1 / x2`, and 0 where `x2` is 0.

    >>> divide_no_nan([1.0, 2.0], [0.0, 4.0]).tolist()
    [0.0, 0.5]
    """
    x2 = jnp.asarray(as_array(x2))
    zero = x2 == 0
    return jnp.where(zero, 0, jnp.divide(as_array(x1), jnp.where(zero, 1, x2)))


@operation
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """NaN and infinities replaced; by default by 0 and the largest floats.

    >>> nan_to_num([1.0, float("nan")]).tolist()
    [1.0, 0.0]
    """
    return jnp.nan_to_num(as_array(x), nan=nan, posinf=posinf, neginf=neginf)


@operation
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether `|x1 - x2| <= atol + rtol * |x2|`, element by element.

    >>> isclose(1.0, 1.0 + 1e-7).item()
    True
    """
    return jnp.isclose(as_array(x1), as_array(x2), rtol, atol, equal_nan)


@operation
def where(condition, x1=None, x2=None):
    """`x1` where the condition holds, `x2` elsewhere; if neither is given, where it holds.

    >>> where([True, False], [1, 2], [10, 20]).tolist()
    [1, 20]
    """
    if x1 is None and x2 is None:
        return jnp.where(as_array(condition))
    return jnp.where(as_array(condition), as_array(x1), as_array(x2))
