package attack

import (
	"database/sql"
	"errors"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/secret"
)

// TestOtherRow asks again and again for a row of which the database gives
// another one, whose mark fits: no reader takes it for the one that it asked for.
func TestOtherRow(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	base := build(t, c, t.TempDir(), "")
	p := base.pen()
	tables := map[string]*table{}
	for _, x := range p.tables() {
		tables[x.name] = x
	}
	_ = p.Close()
	ctx := t.Context()
	for name, x := range map[string]struct {
		asked, row map[string]string
		read       func(s *app.Installation) (string, error)
		want       string
	}{
		"connections": {map[string]string{"id": base.first}, map[string]string{"id": base.second}, func(s *app.Installation) (string, error) {
			c, err := s.SAM.Store.Find(ctx, base.first)
			return c.ID, err
		}, base.first},
		"registrations": {map[string]string{"client_id": panelApp}, map[string]string{"client_id": northApp}, func(s *app.Installation) (string, error) {
			a, err := s.SAM.Store.App(ctx, panelApp)
			return a.ClientID, err
		}, panelApp},
		"invitations": {map[string]string{"hash": hashOf("x")}, map[string]string{"id": base.invited}, func(s *app.Installation) (string, error) {
			i, err := s.SAM.Invited().Open(ctx, secret.New("x"))
			return i.ID, err
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := base.at(t, clone(t, base.dir), "")
			p := h.pen()
			for _, text := range liar(tables[name], x.asked, x.row) {
				if _, err := p.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			lied := 0
			s := h.must()
			defer func() { h.ok(s.Close()) }()
			for range 60 {
				// Only that what is asked for is not the answer makes it a lie.
				got, err := x.read(s)
				if err == nil && got != x.want {
					t.Errorf("%s was taken for %s", got, x.want)
				}
				if err != nil && !errors.Is(err, sql.ErrNoRows) {
					lied++
				}
			}
			_ = p.Close()
			if lied == 0 {
				t.Error("the database told the truth")
			}
		})
	}
}

// TestConsentTakesNothingOver: a row that was made to look like that of an account
// which is about to consent does not lend it its id, by which policies name it.
func TestConsentTakesNothingOver(t *testing.T) {
	t.Parallel()
	h := build(t, newCloud(t), t.TempDir(), "")
	p := h.pen()
	h.ok(changed(p.Exec("UPDATE connections SET account = (SELECT account FROM connections WHERE id = $1) WHERE id = $2", h.second, h.first)))
	_ = p.Close()
	s := h.must()
	id := h.connect(s, "", panelApp, "ravi.menon@contoso.com")
	h.ok(s.Close())
	if id == h.first {
		t.Error("the consent has the id of another account's connection")
	}
	d := h.live()
	for _, who := range []string{"billing", "ops"} {
		if d.tokens[who].token != "" {
			t.Errorf("%s got a token of the other account: %s", who, d.tokens[who].token)
		}
	}
}
