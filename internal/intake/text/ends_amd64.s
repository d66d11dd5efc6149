//go:build !purego

#include "textflag.h"

DATA marks<>+0(SB)/4, $0x22222222 // quote
DATA marks<>+4(SB)/4, $0x5c5c5c5c // backslash
DATA marks<>+8(SB)/4, $0x7b7b7b7b // {, and [ once folded
DATA marks<>+12(SB)/4, $0x7d7d7d7d // }, and ] once folded
DATA marks<>+16(SB)/4, $0x20202020
GLOBL marks<>(SB), RODATA|NOPTR, $20

#define MASK(c, at) \
	VPCMPEQB Y0, c, Y2 \
	VPCMPEQB Y1, c, Y3 \
	VPMOVMSKB Y2, AX \
	VPMOVMSKB Y3, BX \
	SHLQ $32, BX \
	ORQ BX, AX \
	MOVQ AX, at(DI)

// func masksAVX2(text *byte, blocks int, out *masks)
TEXT ·masksAVX2(SB), NOSPLIT, $0-24
	MOVQ text+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ out+16(FP), DI
	VPBROADCASTD marks<>+0(SB), Y8
	VPBROADCASTD marks<>+4(SB), Y9
	VPBROADCASTD marks<>+8(SB), Y10
	VPBROADCASTD marks<>+12(SB), Y11
	VPBROADCASTD marks<>+16(SB), Y12

loop:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	MASK(Y8, 0)
	MASK(Y9, 8)
	VPOR Y0, Y12, Y0
	VPOR Y1, Y12, Y1
	MASK(Y10, 16)
	MASK(Y11, 24)
	ADDQ $64, SI
	ADDQ $32, DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

#define WIDE(c, at) \
	VPCMPEQB Z0, c, K1 \
	KMOVQ K1, AX \
	MOVQ AX, at(DI)

// func masksAVX512(text *byte, blocks int, out *masks)
TEXT ·masksAVX512(SB), NOSPLIT, $0-24
	MOVQ text+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ out+16(FP), DI
	VPBROADCASTD marks<>+0(SB), Z8
	VPBROADCASTD marks<>+4(SB), Z9
	VPBROADCASTD marks<>+8(SB), Z10
	VPBROADCASTD marks<>+12(SB), Z11
	VPBROADCASTD marks<>+16(SB), Z12

wide:
	VMOVDQU64 (SI), Z0
	WIDE(Z8, 0)
	WIDE(Z9, 8)
	VPORQ Z0, Z12, Z0
	WIDE(Z10, 16)
	WIDE(Z11, 24)
	ADDQ $64, SI
	ADDQ $32, DI
	DECQ CX
	JNZ wide
	VZEROUPPER
	RET
