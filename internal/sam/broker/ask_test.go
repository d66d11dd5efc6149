package broker

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func FuzzReadAsk(f *testing.F) {
	for _, q := range []string{"api-version=2019-08-01&resource=https://graph.microsoft.com", "api-version=2019-08-01&resource=a&client_id=b&object_id=B",
		"a=%zz", "a;b", "RESOURCE=x&resource=y", "api-version=2017-09-01&resource=x&mi_res_id=/a/b/"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		r := httptest.NewRequest("GET", Path, nil)
		r.URL = &url.URL{Path: Path, RawQuery: q}
		a, err := readAsk(r, func(id string) bool { return id == "app" })
		if err != nil {
			return
		}
		if a.Resource == "" || len(a.Resource) > 300 || len(a.Customer) > 255 || len(a.Refused) > 64 {
			t.Errorf("%q: %+v", q, a)
		}
		// The two readers must have seen the same value.
		n := 0
		for name, list := range r.URL.Query() {
			if strings.EqualFold(name, "resource") {
				n += len(list)
			}
		}
		if n != 1 {
			t.Errorf("%q: %d resources", q, n)
		}
	})
}
