package proxy

import "testing"

func TestCheckHeadTakesPlainOnes(t *testing.T) {
	t.Parallel()
	for _, head := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /a/b?c=d%00//../ HTTP/1.1\r\nHost: a.example:8480\r\nContent-Length: 10\r\nConnection: keep-alive, Upgrade\r\n\r\n",
		"GET http://A.example/x HTTP/1.1\r\nhost: a.example\r\n\r\n",
		"GET /a%2Fb HTTP/1.0\r\nHost: [::1]:80\r\nX:\r\nY: \xc3\xa4\r\n\r\n",
	} {
		if err := CheckHead([]byte(head)); err != nil {
			t.Errorf("%q: %v", head, err)
		}
	}
}
