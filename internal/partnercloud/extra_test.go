package partnercloud

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"testing"

	"github.com/digitorus/timestamp"
	"github.com/emersion/go-smtp"

	"crypto/tls"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// xoauth2 is a client's half of XOAUTH2.
type xoauth2 struct{ user, token string }

func (x xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}
func (x xoauth2) Next([]byte) ([]byte, error) { return nil, errors.New("a challenge") }

// Extras are there when they are asked for, and only then.
func TestExtras(t *testing.T) {
	t.Parallel()
	if s := start(t, Options{}); s.Info().Mail != nil || s.Info().Stamp != nil || len(s.ports) != maxPorts {
		t.Fatalf("they listen unasked: %+v, %d ports", s.Info().Mail, len(s.ports))
	}
	s := start(t, Options{Mail: true, Stamp: true})
	i := s.Info()
	c := client(t, s, "")
	send := func(token string) error {
		conn, err := smtp.DialStartTLS(i.Mail.SMTP, &tls.Config{RootCAs: s.CA.Pool()})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.Auth(xoauth2{samAgent, token}); err != nil {
			return err
		}
		return conn.SendMail(samAgent, []string{admin}, bytes.NewReader([]byte("From: "+samAgent+"\r\nSubject: x\r\n\r\ny\r\n")))
	}
	scope := "https://outlook.office365.com/.default"
	if err := send(appToken(t, s, c, i.Login, scope)); err == nil {
		t.Error("an app without the role sends")
	}
	s.World.Read(func(st *world.State) {
		p := st.PartnerTenant()
		res := st.EnsureSP(p, entra.AppExchange)
		for _, role := range world.FindResource(entra.AppExchange).Roles {
			if role.Value == "SMTP.SendAsApp" {
				for sp := range p.SPs.All() {
					p.AppRoles.Put(&world.AppRoleAssignment{ID: "mail" + sp.ID, Principal: sp.ID, Resource: res.ID, Role: role.ID})
				}
			}
		}
		st.Touch(p)
	})
	if err := send(appToken(t, s, c, i.Login, scope)); err != nil {
		t.Errorf("an app with the role: %v", err)
	}

	q := &timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: make([]byte, 32), Nonce: big.NewInt(1), Certificates: true}
	raw, err := q.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(i.Stamp.URL, "application/timestamp-query", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, _ := io.ReadAll(resp.Body)
	stamped, err := timestamp.ParseResponse(out)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(i.Stamp.RootFile)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(root) {
		t.Fatalf("the root: %v", err)
	}
	if _, err := stamped.Certificates[0].Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
		CurrentTime: s.World.Clock.Now()}); err != nil {
		t.Error(err)
	}
}
