//go:build !purego

#include "textflag.h"

// Low nibble -> the blank with that nibble, or a byte that never matches.
DATA blanks<>+0(SB)/8, $0x0271641164646420
DATA blanks<>+8(SB)/8, $0x64640d64700a0964
GLOBL blanks<>(SB), RODATA|NOPTR, $16

// Low nibble -> the operator with that nibble after folding [ and ] to { and }.
DATA ops<>+0(SB)/8, $0x0000000000000000
DATA ops<>+8(SB)/8, $0x00007d2c7b3a0000
GLOBL ops<>(SB), RODATA|NOPTR, $16

DATA bytes<>+0(SB)/4, $0x5c5c5c5c // backslash
DATA bytes<>+4(SB)/4, $0x22222222 // quote
DATA bytes<>+8(SB)/4, $0x20202020
DATA bytes<>+12(SB)/4, $0x1f1f1f1f
GLOBL bytes<>(SB), RODATA|NOPTR, $16

#define MASK(a, b, to, tmp) \
	VPMOVMSKB a, to \
	VPMOVMSKB b, tmp \
	SHLQ $32, tmp \
	ORQ tmp, to

#define EMIT(at) \
	TZCNTQ R12, BX \
	ADDL R11, BX \
	MOVL BX, at(DI) \
	BLSRQ R12, R12

#define EMIT8(at) \
	EMIT(at+0) \
	EMIT(at+4) \
	EMIT(at+8) \
	EMIT(at+12) \
	EMIT(at+16) \
	EMIT(at+20) \
	EMIT(at+24) \
	EMIT(at+28)

// func scanAVX2(text *byte, blocks int, out *uint32, st *state, odd *uint8) int
//
// SI text, CX blocks left, DI out, R11 place of the block; R8 inString,
// R9 escaped, R10 scalar as carried in state; R13 all backslashes seen; Y7 all
// bytes seen or-ed together; R14 odd.
TEXT ·scanAVX2(SB), NOSPLIT, $0-48
	MOVQ text+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ out+16(FP), DI
	MOVQ odd+32(FP), R14
	MOVQ st+24(FP), DX
	MOVQ 0(DX), R11
	MOVQ 8(DX), R8
	MOVQ 16(DX), R9
	MOVQ 24(DX), R10
	XORQ R13, R13
	VBROADCASTI128 blanks<>(SB), Y8
	VBROADCASTI128 ops<>(SB), Y9
	VPBROADCASTD bytes<>+0(SB), Y10
	VPBROADCASTD bytes<>+4(SB), Y11
	VPBROADCASTD bytes<>+8(SB), Y12
	VPBROADCASTD bytes<>+12(SB), Y13
	VPCMPEQB X14, X14, X14
	VPXOR Y7, Y7, Y7

block:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	VPOR Y0, Y7, Y7
	VPOR Y1, Y7, Y7

	// AX = backslashes, BX = quotes that are not escaped
	VPCMPEQB Y10, Y0, Y2
	VPCMPEQB Y10, Y1, Y3
	MASK(Y2, Y3, AX, DX)
	VPCMPEQB Y11, Y0, Y2
	VPCMPEQB Y11, Y1, Y3
	MASK(Y2, Y3, BX, DX)
	VPOR Y0, Y1, Y4
	VPMOVMSKB Y4, DX
	ORQ AX, DX
	SETNE (R14)
	INCQ R14
	MOVQ AX, R12
	ORQ R9, R12
	JNZ escapes

unescaped:
	// AX = inside a string, with the opening and without the closing quote
	VMOVQ BX, X4
	VPCLMULQDQ $0, X14, X4, X4
	VMOVQ X4, AX
	XORQ R8, AX
	MOVQ AX, R8
	SARQ $63, R8

	// control characters inside strings
	VPMINUB Y13, Y0, Y2
	VPMINUB Y13, Y1, Y3
	VPCMPEQB Y0, Y2, Y2
	VPCMPEQB Y1, Y3, Y3
	MASK(Y2, Y3, R12, DX)
	TESTQ AX, R12
	JNZ control

classes:
	XORQ BX, AX // AX = inside a string, without the opening and with the closing quote

	VPSHUFB Y0, Y8, Y2
	VPSHUFB Y1, Y8, Y3
	VPCMPEQB Y0, Y2, Y2
	VPCMPEQB Y1, Y3, Y3
	VPSHUFB Y0, Y9, Y4
	VPSHUFB Y1, Y9, Y5
	VPOR Y12, Y0, Y0
	VPOR Y12, Y1, Y1
	VPCMPEQB Y0, Y4, Y4
	VPCMPEQB Y1, Y5, Y5
	VPOR Y4, Y2, Y2
	VPOR Y5, Y3, Y3
	MASK(Y4, Y5, R12, DX) // operators
	VPMOVMSKB Y2, R15
	VPMOVMSKB Y3, DX
	SHLQ $32, DX
	ORQ DX, R15
	NOTQ R15              // neither operator nor blank

	ANDNQ R15, BX, DX     // ... nor quote
	MOVQ DX, BX
	SHLQ $1, BX
	ORQ R10, BX           // behind a byte of a number or literal
	SHRQ $63, DX
	MOVQ DX, R10
	ANDNQ R15, BX, BX     // first bytes
	ORQ BX, R12
	ANDNQ R12, AX, R12    // outside strings

	POPCNTQ R12, AX
	TESTQ AX, AX
	JZ next
	EMIT8(0)
	CMPQ AX, $8
	JBE emitted
	EMIT8(32)
	CMPQ AX, $16
	JBE emitted
	EMIT8(64)
	CMPQ AX, $24
	JBE emitted
	LEAQ 96(DI), DX

more:
	TZCNTQ R12, BX
	ADDL R11, BX
	MOVL BX, (DX)
	ADDQ $4, DX
	BLSRQ R12, R12
	TESTQ R12, R12
	JNZ more

emitted:
	LEAQ (DI)(AX*4), DI

next:
	ADDQ $64, SI
	ADDQ $64, R11
	DECQ CX
	JNZ block

	MOVQ st+24(FP), DX
	MOVQ R11, 0(DX)
	MOVQ R8, 8(DX)
	MOVQ R9, 16(DX)
	MOVQ R10, 24(DX)
	VPMOVMSKB Y7, AX
	ORQ AX, 40(DX)
	ORQ R13, 48(DX)
	VZEROUPPER
	SUBQ out+16(FP), DI
	SHRQ $2, DI
	MOVQ DI, ret+40(FP)
	RET

escapes:
	// A backslash starts an escape unless it is escaped itself; runs of them
	// are told apart by where they start, even or odd, with one subtraction.
	ORQ AX, R13
	MOVQ $0xaaaaaaaaaaaaaaaa, DX
	ANDNQ AX, R9, R12
	MOVQ R12, R15
	SHLQ $1, R15
	ORQ DX, R15
	SUBQ R12, R15
	XORQ DX, R15          // escapes and the bytes they escape
	MOVQ AX, R12
	ORQ R9, R12
	XORQ R15, R12         // escaped
	ANDQ AX, R15
	SHRQ $63, R15
	MOVQ R15, R9
	ANDNQ BX, R12, BX
	JMP unescaped

control:
	MOVQ st+24(FP), DX
	MOVQ $1, 32(DX)
	JMP classes

DATA iota<>+0(SB)/8, $0x0706050403020100
DATA iota<>+8(SB)/8, $0x0f0e0d0c0b0a0908
DATA iota<>+16(SB)/8, $0x1716151413121110
DATA iota<>+24(SB)/8, $0x1f1e1d1c1b1a1918
DATA iota<>+32(SB)/8, $0x2726252423222120
DATA iota<>+40(SB)/8, $0x2f2e2d2c2b2a2928
DATA iota<>+48(SB)/8, $0x3736353433323130
DATA iota<>+56(SB)/8, $0x3f3e3d3c3b3a3938
GLOBL iota<>(SB), RODATA|NOPTR, $64

#define WIDE(from, at) \
	VPMOVZXBD from, Z7 \
	VPADDD Z13, Z7, Z7 \
	VMOVDQU32 Z7, at(DI)

// func scanAVX512(text *byte, blocks int, out *uint32, st *state, odd, kinds *uint8, lineFeeds uint64) (n, end int)
//
// lineFeeds is all ones to stop at the first line feed, with its place in end,
// or zero to go on to the last block.
//
// The same steps as scanAVX2 with masks from the comparisons themselves, and
// the places and kinds packed by compression. Registers as there, but R13 is
// kinds and K0 holds all backslashes seen, K7 all bytes above 0x7f.
TEXT ·scanAVX512(SB), NOSPLIT, $0-72
	MOVQ text+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ out+16(FP), DI
	MOVQ odd+32(FP), R14
	MOVQ st+24(FP), DX
	MOVQ 0(DX), R11
	MOVQ 8(DX), R8
	MOVQ 16(DX), R9
	MOVQ 24(DX), R10
	MOVQ kinds+40(FP), R13
	VBROADCASTI32X4 blanks<>(SB), Z8
	VBROADCASTI32X4 ops<>(SB), Z9
	VPBROADCASTD bytes<>+0(SB), Z10
	VPBROADCASTD bytes<>+4(SB), Z11
	VPBROADCASTD bytes<>+8(SB), Z12
	VMOVDQU64 iota<>(SB), Z15
	VPTERNLOGD $0xff, Z14, Z14, Z14
	KXORQ K7, K7, K7
	KXORQ K0, K0, K0
	MOVL $0x30, AX
	VPBROADCASTB AX, Z16
	MOVL $0x0a, AX
	VPBROADCASTB AX, Z17
	MOVQ $-1, end+64(FP)

block:
	VMOVDQU64 (SI), Z0
	VPCMPEQB Z17, Z0, K5
	KMOVQ K5, DX
	ANDQ lineFeeds+48(FP), DX
	JNZ lastBlock

classify:
	VPCMPEQB Z10, Z0, K1
	VPCMPEQB Z11, Z0, K2
	VPMOVB2M Z0, K3
	KORQ K3, K7, K7
	KORQ K1, K0, K0
	KMOVQ K1, AX
	KMOVQ K2, BX
	KMOVQ K3, DX
	ORQ AX, DX
	SETNE (R14)
	INCQ R14
	MOVQ AX, R12
	ORQ R9, R12
	JNZ escapes

unescaped:
	VMOVQ BX, X4
	VPCLMULQDQ $0, X14, X4, X4
	VMOVQ X4, AX
	XORQ R8, AX
	MOVQ AX, R8
	SARQ $63, R8

	VPCMPUB $1, Z12, Z0, K4
	KMOVQ K4, R12
	TESTQ AX, R12
	JNZ control

classes:
	XORQ BX, AX
	VPSHUFB Z0, Z8, Z2
	VPCMPEQB Z0, Z2, K5
	VPSHUFB Z0, Z9, Z4
	VPORD Z12, Z0, Z3
	VPCMPEQB Z3, Z4, K6
	KORQ K5, K6, K5
	KMOVQ K6, R12
	KMOVQ K5, R15
	NOTQ R15

	ANDNQ R15, BX, DX
	KMOVQ DX, K2
	MOVQ DX, BX
	SHLQ $1, BX
	ORQ R10, BX
	SHRQ $63, DX
	MOVQ DX, R10
	ANDNQ R15, BX, BX
	ORQ BX, R12
	ANDNQ R12, AX, R12

	KMOVQ R12, K1
	POPCNTQ R12, AX
	VPCOMPRESSB.Z Z15, K1, Z6
	VMOVDQU8 Z16, K2, Z0  // numbers and literals all read 0
	VPCOMPRESSB.Z Z0, K1, Z1
	VMOVDQU8 Z1, (R13)
	ADDQ AX, R13
	VPBROADCASTD R11, Z13
	WIDE(X6, 0)
	CMPQ AX, $16
	JA more

emitted:
	LEAQ (DI)(AX*4), DI
	ADDQ $64, SI
	ADDQ $64, R11
	DECQ CX
	JNZ block

	MOVQ st+24(FP), DX
	MOVQ R11, 0(DX)
	MOVQ R8, 8(DX)
	MOVQ R9, 16(DX)
	MOVQ R10, 24(DX)
	KMOVQ K7, AX
	ORQ AX, 40(DX)
	KMOVQ K0, AX
	ORQ AX, 48(DX)
	VZEROUPPER
	SUBQ out+16(FP), DI
	SHRQ $2, DI
	MOVQ DI, n+56(FP)
	RET

lastBlock: // blanks from the line feed on
	TZCNTQ DX, AX
	ADDQ R11, AX
	MOVQ AX, end+64(FP)
	BLSIQ DX, DX
	NEGQ DX
	KMOVQ DX, K5
	VMOVDQU8 Z12, K5, Z0
	MOVQ $1, CX
	JMP classify

more:
	VEXTRACTI32X4 $1, Z6, X5
	WIDE(X5, 64)
	VEXTRACTI32X4 $2, Z6, X5
	WIDE(X5, 128)
	VEXTRACTI32X4 $3, Z6, X5
	WIDE(X5, 192)
	JMP emitted

escapes:
	MOVQ $0xaaaaaaaaaaaaaaaa, DX
	ANDNQ AX, R9, R12
	MOVQ R12, R15
	SHLQ $1, R15
	ORQ DX, R15
	SUBQ R12, R15
	XORQ DX, R15
	MOVQ AX, R12
	ORQ R9, R12
	XORQ R15, R12
	ANDQ AX, R15
	SHRQ $63, R15
	MOVQ R15, R9
	ANDNQ BX, R12, BX
	JMP unescaped

control:
	MOVQ st+24(FP), DX
	MOVQ $1, 32(DX)
	JMP classes
