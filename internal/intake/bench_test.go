package intake

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// BenchmarkRead measures recognition and splitting with a sink that does
// nothing.
func BenchmarkRead(b *testing.B) {
	fat := strings.Replace(signInN(1), `"status":`, `"authenticationDetails":[{"authenticationMethod":"Password","succeeded":true}],"note":"`+
		strings.Repeat("lorem ipsum ", 280)+`","status":`, 1)
	for _, c := range []struct{ name, text string }{
		{"page of sign-ins", `{"@odata.context":"x#auditLogs/signIns","value":[` + strings.Repeat(fat+",", 5000) + fat + "]}"},
		{"array of sign-ins", `[` + strings.Repeat(fat+",", 5000) + fat + "]"},
		{"array of users", `[` + strings.Repeat(user(1)+",", 100000) + user(1) + "]"},
		{"lines of users", strings.Repeat(user(1)+"\n", 100000)},
		{"csv", "userPrincipalName,displayName,accountEnabled\n" + strings.Repeat("ada@contoso.example,\"Ada, of London\",True\n", 100000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(context.Background(), Options{Stdin: bytes.NewReader([]byte(c.text))}, []string{"-"}, &countSink{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
