//go:build !purego

#include "textflag.h"

DATA stencil<>+0(SB)/4, $0x5c5c5c5c // backslash
DATA stencil<>+4(SB)/4, $0x22222222 // quote
DATA stencil<>+8(SB)/4, $0x1f1f1f1f
DATA stencil<>+12(SB)/4, $0x30303030 // 0
DATA stencil<>+16(SB)/4, $0x09090909
GLOBL stencil<>(SB), RODATA|NOPTR, $20

// func fitAVX2(text *byte, size int, fixed *byte, pieces *piece, spans *Span, i, pos int) (at, end, why int)
//
// SI text, DX its size, DI place in it, R8 fixed, R9 the piece, R10 its span;
// R13 bytes outside ASCII seen in the value.
TEXT ·fitAVX2(SB), NOSPLIT, $0-80
	MOVQ text+0(FP), SI
	MOVQ size+8(FP), DX
	MOVQ fixed+16(FP), R8
	MOVQ pieces+24(FP), R9
	MOVQ spans+32(FP), R10
	MOVQ i+40(FP), AX
	MOVQ pos+48(FP), DI
	LEAQ (R10)(AX*8), R10
	SHLQ $4, AX
	ADDQ AX, R9
	VPBROADCASTD stencil<>+0(SB), Y11
	VPBROADCASTD stencil<>+4(SB), Y10
	VPBROADCASTD stencil<>+8(SB), Y12
	VPBROADCASTD stencil<>+12(SB), X13
	VPBROADCASTD stencil<>+16(SB), X14

piece:
	MOVL 0(R9), BX
	ADDQ R8, BX
	MOVL 4(R9), CX
	LEAQ (DI)(CX*1), R11
	CMPQ R11, DX
	JA differs
	LEAQ (SI)(DI*1), R12
	CMPQ CX, $32
	JB tail

whole:
	VMOVDQU (BX), Y0
	VPCMPEQB (R12), Y0, Y0
	VPMOVMSKB Y0, AX
	CMPL AX, $-1
	JNE differs
	ADDQ $32, BX
	ADDQ $32, R12
	SUBQ $32, CX
	CMPQ CX, $32
	JAE whole

tail:
	VMOVDQU (BX), Y0
	VPCMPEQB (R12), Y0, Y0
	VPMOVMSKB Y0, AX
	NOTL AX
	BZHIL CX, AX, AX
	JNZ differs
	MOVQ R11, DI
	MOVL 8(R9), AX
	CMPL AX, $1
	JEQ scalar
	JA end

	MOVL DI, 0(R10)
	XORL R13, R13

string:
	VMOVDQU (SI)(DI*1), Y0
	VPCMPEQB Y0, Y10, Y1
	VPCMPEQB Y0, Y11, Y2
	VPMINUB Y0, Y12, Y3
	VPCMPEQB Y0, Y3, Y3
	VPOR Y2, Y3, Y3
	VPMOVMSKB Y1, AX // quotes
	VPMOVMSKB Y3, BX // backslashes and control characters
	VPMOVMSKB Y0, CX // bytes outside ASCII
	TESTL AX, AX
	JZ longer
	TZCNTL AX, R11
	BZHIL R11, BX, BX
	JNZ specialText
	BZHIL R11, CX, CX
	ORL CX, R13
	CMPL R11, 12(R9)
	JNE other

	// As long as usual: what follows need not wait for where the quote was found.
	MOVL 12(R9), R11

other:
	ADDQ R11, DI
	MOVL DI, AX
	TESTL R13, R13
	JNZ odd

ended:
	MOVL AX, 4(R10)
	ADDQ $8, R10
	ADDQ $16, R9
	JMP piece

odd:
	ORL $0x80000000, AX
	JMP ended

longer:
	TESTL BX, BX
	JNZ specialText
	ORL CX, R13
	ADDQ $32, DI
	CMPQ DI, DX
	JA differs
	JMP string

scalar:
	MOVL DI, 0(R10)
	MOVL (SI)(DI*1), AX
	CMPL AX, $0x65757274 // true
	JEQ four
	CMPL AX, $0x6c6c756e // null
	JEQ four
	CMPL AX, $0x736c6166 // fals
	JEQ false

	// A number of up to 14 bytes without an exponent.
	VMOVDQU (SI)(DI*1), X0
	VPSUBB X13, X0, X1
	VPMINUB X14, X1, X2
	VPCMPEQB X1, X2, X2
	VPMOVMSKB X2, BX // digits
	XORL R11, R11
	CMPB AX, $0x2d
	JNE whole2
	INCL R11

whole2:
	SHRXL R11, BX, CX
	NOTL CX
	TZCNTL CX, CX // digits before the point
	TESTL CX, CX
	JZ special
	LEAQ (SI)(DI*1), R12
	CMPL CX, $1
	JEQ point
	CMPB (R12)(R11*1), $0x30
	JEQ special

point:
	ADDL CX, R11
	CMPL R11, $14
	JA special
	MOVBLZX (R12)(R11*1), AX
	CMPL AX, $0x2e
	JNE exponent
	INCL R11
	SHRXL R11, BX, CX
	NOTL CX
	TZCNTL CX, CX
	TESTL CX, CX
	JZ special
	ADDL CX, R11
	CMPL R11, $14
	JA special
	MOVBLZX (R12)(R11*1), AX

exponent:
	ORL $0x20, AX
	CMPL AX, $0x65
	JEQ special
	ADDQ R11, DI
	MOVL DI, AX
	JMP ended

four:
	ADDQ $4, DI
	MOVL DI, AX
	JMP ended

false:
	CMPB 4(SI)(DI*1), $0x65
	JNE special
	ADDQ $5, DI
	MOVL DI, AX
	JMP ended

specialText:
	MOVL 0(R10), DI

special:
	MOVQ $2, AX
	JMP leave

differs:
	MOVQ $1, AX
	JMP leave

end:
	XORQ AX, AX

leave:
	VZEROUPPER
	MOVQ AX, why+72(FP)
	MOVQ DI, end+64(FP)
	SUBQ pieces+24(FP), R9
	SHRQ $4, R9
	MOVQ R9, at+56(FP)
	RET

// func fitAVX512(text *byte, size int, fixed *byte, pieces *piece, spans *Span, i, pos int) (at, end, why int)
//
// The same with 64 bytes at once, and stretches compared under a mask.
TEXT ·fitAVX512(SB), NOSPLIT, $0-80
	MOVQ text+0(FP), SI
	MOVQ size+8(FP), DX
	MOVQ fixed+16(FP), R8
	MOVQ pieces+24(FP), R9
	MOVQ spans+32(FP), R10
	MOVQ i+40(FP), AX
	MOVQ pos+48(FP), DI
	LEAQ (R10)(AX*8), R10
	SHLQ $4, AX
	ADDQ AX, R9
	VPBROADCASTD stencil<>+0(SB), Z11
	VPBROADCASTD stencil<>+4(SB), Z10
	VPBROADCASTD stencil<>+8(SB), Z12
	VPBROADCASTD stencil<>+12(SB), X13
	VPBROADCASTD stencil<>+16(SB), X14
	MOVQ $-1, R15

piece:
	MOVL 0(R9), BX
	ADDQ R8, BX
	MOVL 4(R9), CX
	LEAQ (DI)(CX*1), R11
	CMPQ R11, DX
	JA differs
	LEAQ (SI)(DI*1), R12
	CMPQ CX, $64
	JB tail

whole:
	VMOVDQU64 (BX), Z0
	VPCMPUB $4, (R12), Z0, K1
	KORTESTQ K1, K1
	JNZ differs
	ADDQ $64, BX
	ADDQ $64, R12
	SUBQ $64, CX
	CMPQ CX, $64
	JAE whole

tail:
	BZHIQ CX, R15, AX
	KMOVQ AX, K2
	VMOVDQU64 (BX), Z0
	VPCMPUB $4, (R12), Z0, K2, K1
	KORTESTQ K1, K1
	JNZ differs
	MOVQ R11, DI
	MOVL 8(R9), AX
	CMPL AX, $1
	JEQ scalar
	JA end

	MOVL DI, 0(R10)
	XORL R13, R13

string:
	VMOVDQU64 (SI)(DI*1), Z0
	VPCMPEQB Z0, Z10, K1
	VPCMPEQB Z0, Z11, K2
	VPCMPUB $2, Z12, Z0, K3
	KORQ K2, K3, K3
	VPMOVB2M Z0, K4
	KMOVQ K1, AX // quotes
	KMOVQ K3, BX // backslashes and control characters
	KMOVQ K4, CX // bytes outside ASCII
	TESTQ AX, AX
	JZ longer
	TZCNTQ AX, R11
	BZHIQ R11, BX, BX
	JNZ specialText
	BZHIQ R11, CX, CX
	ORQ CX, R13
	CMPL R11, 12(R9)
	JNE other
	MOVL 12(R9), R11

other:
	ADDQ R11, DI
	MOVL DI, AX
	TESTQ R13, R13
	JNZ odd

ended:
	MOVL AX, 4(R10)
	ADDQ $8, R10
	ADDQ $16, R9
	JMP piece

odd:
	ORL $0x80000000, AX
	JMP ended

longer:
	TESTQ BX, BX
	JNZ specialText
	ORQ CX, R13
	ADDQ $64, DI
	CMPQ DI, DX
	JA differs
	JMP string

scalar:
	MOVL DI, 0(R10)
	MOVL (SI)(DI*1), AX
	CMPL AX, $0x65757274 // true
	JEQ four
	CMPL AX, $0x6c6c756e // null
	JEQ four
	CMPL AX, $0x736c6166 // fals
	JEQ false

	// A number of up to 14 bytes without an exponent.
	VMOVDQU (SI)(DI*1), X0
	VPSUBB X13, X0, X1
	VPMINUB X14, X1, X2
	VPCMPEQB X1, X2, X2
	VPMOVMSKB X2, BX // digits
	XORL R11, R11
	CMPB AX, $0x2d
	JNE whole2
	INCL R11

whole2:
	SHRXL R11, BX, CX
	NOTL CX
	TZCNTL CX, CX // digits before the point
	TESTL CX, CX
	JZ special
	LEAQ (SI)(DI*1), R12
	CMPL CX, $1
	JEQ point
	CMPB (R12)(R11*1), $0x30
	JEQ special

point:
	ADDL CX, R11
	CMPL R11, $14
	JA special
	MOVBLZX (R12)(R11*1), AX
	CMPL AX, $0x2e
	JNE exponent
	INCL R11
	SHRXL R11, BX, CX
	NOTL CX
	TZCNTL CX, CX
	TESTL CX, CX
	JZ special
	ADDL CX, R11
	CMPL R11, $14
	JA special
	MOVBLZX (R12)(R11*1), AX

exponent:
	ORL $0x20, AX
	CMPL AX, $0x65
	JEQ special
	ADDQ R11, DI
	MOVL DI, AX
	JMP ended

four:
	ADDQ $4, DI
	MOVL DI, AX
	JMP ended

false:
	CMPB 4(SI)(DI*1), $0x65
	JNE special
	ADDQ $5, DI
	MOVL DI, AX
	JMP ended

specialText:
	MOVL 0(R10), DI

special:
	MOVQ $2, AX
	JMP leave

differs:
	MOVQ $1, AX
	JMP leave

end:
	XORQ AX, AX

leave:
	VZEROUPPER
	MOVQ AX, why+72(FP)
	MOVQ DI, end+64(FP)
	SUBQ pieces+24(FP), R9
	SHRQ $4, R9
	MOVQ R9, at+56(FP)
	RET
