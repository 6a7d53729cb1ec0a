"""Random numbers: torch's CPU streams, bit for bit, as NumPy arrays.

The same seed gives the same numbers in torch and here. Three ideas explain how.

**One engine.** A `Generator` is the Mersenne Twister mt19937: a row of 624 words that gives one 32-bit *word* after the
other. NumPy has the same engine and seeds it in the same way (Knuth's formula of 2002, on the low 32 bits of the seed),
so NumPy makes the words here. A 64-bit word is two of them; the first is its high half.

**All numbers are made of words, in order.** What differs between functions is how many words they take for a number,
and what they make of them:

=========================  ===========================================================================================
float32 uniform u          1 word: its low 24 bits / 2**24
float64 uniform u          2 words: the low 53 bits / 2**53
``uniform_(low, high)``    u * (high - low) + low, rounded once
``bernoulli_(p)``          u < p; u is float64 for a number p, of the array's dtype for an array p
``exponential_(lambd)``    -log(1 - u) / lambd, u float64
``randint(low, high)``     word % (high - low) + low: 1 word if high - low < 2**28, otherwise 2
``random_()``              word % (greatest + 1), greatest of the dtype: 2 words for int64 and float64, otherwise 1
``randperm(n)``            the shuffle of Fisher and Yates from the front: 1 word for each of its n - 1 swaps
``multinomial``            the greatest p / exponential; with replacement, a float64 u looked up in the running sum of p
``normal_(mean, std)``     see below
=========================  ===========================================================================================

An array is filled in *memory order*: a transposed one column by column.

**Normals come in pairs.** Two uniforms give two normals by the transform of Box and Muller, whose arithmetic is in
`boxmuller`. Fewer than 16 numbers, or an array that is not contiguous, are drawn pair by pair in float64; the
second of a pair, a sine, may be left over and waits in the generator for the next such call. From 16 on, a contiguous
array is filled with uniforms, which are then turned into normals 16 at a time, the first eight paired with the last
eight. If the size is no multiple of 16, the last 16 numbers are drawn anew.

Float16 numbers are drawn as float32 and rounded; of their normals the rows of 16 are drawn first, then the last 16 numbers.

`generator` holds the engine, `draws` what is made of its words, and `rejection` what takes several tries. Functions with a
trailing underscore fill an array in place, the others return a new one; `minigrad.tensors.sampling` makes tensors of them. All
take ``generator=None``, meaning `default_generator`, and check their arguments before they draw: an error leaves the stream
where it was.
"""

from minigrad.random.draws import (
    bernoulli,
    bernoulli_,
    exponential_,
    integers_of,
    multinomial,
    normal,
    normal_,
    randint,
    randint_,
    random_,
    random_full,
    randperm,
    uniform,
    uniform_,
)  # fmt: skip
from minigrad.random.generator import (
    Generator,
    Stream,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)  # fmt: skip
from minigrad.random.rejection import poisson, standard_gamma
