;; The Internet checksum (RFC 1071) of packets that lie in this memory, 64 bytes at a time. Words are summed in the machine's byte order,
;; in lanes of 32 bits that no packet of 64 KiB fills, then folded to 16 bits and swapped, which gives the sum in network order (RFC 1071 §2.B).
;; `npm run build:wasm` makes checksum-wasm.ts of it.
(module
  (memory (import "packets" "memory") 1)

  ;; The lanes and the rest, folded and swapped.
  (func $fold (param $lanes v128) (param $rest i32) (result i32)
    (local $sum i64)
    (local.set $sum
      (i64.add
        (i64.add
          (i64.add
            (i64.extend_i32_u (i32x4.extract_lane 0 (local.get $lanes)))
            (i64.extend_i32_u (i32x4.extract_lane 1 (local.get $lanes))))
          (i64.add
            (i64.extend_i32_u (i32x4.extract_lane 2 (local.get $lanes)))
            (i64.extend_i32_u (i32x4.extract_lane 3 (local.get $lanes)))))
        (i64.extend_i32_u (local.get $rest))))
    (local.set $sum (call $carry (call $carry (call $carry (local.get $sum)))))
    (i32.or
      (i32.and (i32.shl (i32.wrap_i64 (local.get $sum)) (i32.const 8)) (i32.const 0xff00))
      (i32.wrap_i64 (i64.shr_u (local.get $sum) (i64.const 8)))))

  (func $carry (param $sum i64) (result i64)
    (i64.add (i64.and (local.get $sum) (i64.const 0xffff)) (i64.shr_u (local.get $sum) (i64.const 16))))

  ;; sum(at, length): the folded sum of `length` bytes; a last odd byte counts as the high half of a word.
  (func (export "sum") (param $at i32) (param $length i32) (result i32)
    (local $end i32) (local $a v128) (local $b v128) (local $rest i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $less
      (loop $block
        (br_if $less (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 64)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.add
          (i32x4.extadd_pairwise_i16x8_u (v128.load (local.get $at)))
          (i32x4.extadd_pairwise_i16x8_u (v128.load offset=16 (local.get $at))))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.add
          (i32x4.extadd_pairwise_i16x8_u (v128.load offset=32 (local.get $at)))
          (i32x4.extadd_pairwise_i16x8_u (v128.load offset=48 (local.get $at))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $block)))
    (block $less
      (loop $block
        (br_if $less (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.extadd_pairwise_i16x8_u (v128.load (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $block)))
    (block $less
      (loop $word
        (br_if $less (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 2)))
        (local.set $rest (i32.add (local.get $rest) (i32.load16_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br $word)))
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then (local.set $rest (i32.add (local.get $rest) (i32.load8_u (local.get $at))))))
    (call $fold (i32x4.add (local.get $a) (local.get $b)) (local.get $rest)))

  ;; copy(to, at, length): the same, and copies the bytes in the same pass, from the first on: they may overlap where `to` is below `at`.
  (func (export "copy") (param $to i32) (param $at i32) (param $length i32) (result i32)
    (local $end i32) (local $a v128) (local $b v128) (local $rest i32)
    (local $v v128) (local $w v128) (local $x v128) (local $y v128) (local $word i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $less
      (loop $block
        (br_if $less (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 64)))
        (local.set $v (v128.load (local.get $at)))
        (local.set $w (v128.load offset=16 (local.get $at)))
        (local.set $x (v128.load offset=32 (local.get $at)))
        (local.set $y (v128.load offset=48 (local.get $at)))
        (v128.store (local.get $to) (local.get $v))
        (v128.store offset=16 (local.get $to) (local.get $w))
        (v128.store offset=32 (local.get $to) (local.get $x))
        (v128.store offset=48 (local.get $to) (local.get $y))
        (local.set $a (i32x4.add (local.get $a) (i32x4.add
          (i32x4.extadd_pairwise_i16x8_u (local.get $v))
          (i32x4.extadd_pairwise_i16x8_u (local.get $w)))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.add
          (i32x4.extadd_pairwise_i16x8_u (local.get $x))
          (i32x4.extadd_pairwise_i16x8_u (local.get $y)))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (br $block)))
    (block $less
      (loop $block
        (br_if $less (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
        (local.set $v (v128.load (local.get $at)))
        (v128.store (local.get $to) (local.get $v))
        (local.set $a (i32x4.add (local.get $a) (i32x4.extadd_pairwise_i16x8_u (local.get $v))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br $block)))
    (block $less
      (loop $words
        (br_if $less (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 2)))
        (local.set $word (i32.load16_u (local.get $at)))
        (i32.store16 (local.get $to) (local.get $word))
        (local.set $rest (i32.add (local.get $rest) (local.get $word)))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (local.set $to (i32.add (local.get $to) (i32.const 2)))
        (br $words)))
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (local.set $word (i32.load8_u (local.get $at)))
        (i32.store8 (local.get $to) (local.get $word))
        (local.set $rest (i32.add (local.get $rest) (local.get $word)))))
    (call $fold (i32x4.add (local.get $a) (local.get $b)) (local.get $rest))))
