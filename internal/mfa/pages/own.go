package pages

import (
	"cmp"
	"errors"
	"net/http"

	"partnerguard/internal/mfa"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// invitation is the page of an invitation. Opening it begins nothing: a mail scanner uses
// nothing up.
func (p *Pages) invitation(w http.ResponseWriter, r *http.Request) error {
	i, person, err := p.d.Store.Invited(r.Context(), secret.New(r.PathValue("link")))
	if err != nil {
		return err
	}
	return p.show(w, &view{Title: "Set up a second factor", Sub: "You were invited to set up what you will show when you sign in.",
		Facts: []fact{{"Account", cmp.Or(person.Login, person.Called()), ""}, {"Name", cmp.Or(person.Name, "not known"), ""},
			{"Invited by", i.By, ""}, {"Good until", i.Ends.UTC().Format("2 January 2006 15:04 UTC"), ""}},
		Tone: print.Vouched, Banner: "Go on only if this is your account and you expected this invitation.",
		Buttons: []button{{Button: "This is me: begin", Primary: true}}})
}

func (p *Pages) invitationBegin(w http.ResponseWriter, r *http.Request) error {
	if _, err := sent(r); err != nil {
		return err
	}
	x, browser, err := p.d.Store.BeginInvited(r.Context(), secret.New(r.PathValue("link")))
	if err != nil {
		return err
	}
	p.setCookie(w, ownCookie, browser, x.Ends.Sub(p.d.Now()))
	http.Redirect(w, r, OwnPath, http.StatusSeeOther)
	return nil
}

// own is a person's own page: who they are first, then their factors.
func (p *Pages) own(w http.ResponseWriter, r *http.Request) error {
	x, person, err := p.d.Store.Session(r.Context(), p.cookie(r, ownCookie))
	if errors.Is(err, problem.Unauthenticated) {
		return p.show(w, p.enter("", mfa.TOTP))
	}
	if err != nil {
		return err
	}
	switch r.URL.Query().Get("add") {
	case "app":
		return p.newApp(w, r, &x, &person, nil)
	case "key":
		return p.newKey(w, r, &x, &person, nil)
	}
	return p.list(w, r, &x, &person, nil)
}

// enter is the page that asks who somebody is.
func (p *Pages) enter(login string, kind mfa.Kind) *view {
	code := field{Name: "code", Label: "Code", Required: true, Judged: true, Max: 64, Complete: "one-time-code"}
	v := &view{Title: "Your second factors", Sub: "Show one of them to see and change them.", Form: &form{Button: "Go on", Hidden: do("enter"), Fields: []field{
		{Name: "login", Label: "Account", Value: login, Hint: "the name that you sign in to Microsoft with", Required: true, Focus: login == "", Max: 200,
			Complete: "username"},
		{Name: "kind", Label: "What you show", Value: string(kind), Enum: []hidden{{string(mfa.TOTP), "Passcode of an authenticator app"},
			{string(mfa.Recovery), "Recovery code"}, {string(mfa.Pass), "Temporary pass of the help desk"}}}, code}}}
	if p.d.Store.TakesKeys() {
		v.Buttons = []button{{Button: "Use a security key or passkey", Hidden: do("ask-key")}}
	}
	return v
}

// list shows the factors of a session's person.
func (p *Pages) list(w http.ResponseWriter, r *http.Request, x *mfa.Session, person *mfa.Person, fault error) error {
	all, err := p.d.Store.Factors(r.Context(), person.ID)
	if err != nil {
		return err
	}
	v := &view{Title: "Your second factors", Sub: cmp.Or(person.Login, person.Called())}
	strong, codes := 0, false
	for _, f := range all {
		if f.Refused == "" && f.Kind != mfa.Recovery {
			strong++
		}
	}
	for _, f := range all {
		h := have{ID: f.ID, Label: f.Label, Kind: f.Kind.Word(), Sub: "set up on " + f.Made.UTC().Format("2 January 2006"),
			May: x.Kind == mfa.Own && (f.Kind == mfa.Recovery || strong > 1 || f.Refused != "")}
		switch {
		case f.Refused != "":
			h.Sub = "it does not count: it was changed by something else"
		case f.Kind == mfa.Recovery:
			h.Sub = print.Plural(int64(f.Left), "codes") + " left"
			codes = true
		case !f.Last.IsZero():
			h.Sub = "used last on " + f.Last.UTC().Format("2 January 2006 15:04 UTC")
		}
		v.Have = append(v.Have, h)
	}
	v.WaysHead = "Set up"
	if p.d.Store.TakesKeys() {
		v.Ways = append(v.Ways, way{"A security key or passkey: the safest, it works at the right page alone", OwnPath + "?add=key"})
	}
	v.Ways = append(v.Ways, way{"An authenticator app, on a phone or on this computer", OwnPath + "?add=app"})
	switch {
	case len(all) == 0:
		v.Tone, v.Banner = print.Doubt, "Nothing is set up yet. Choose what you will show when you sign in."
	case strong == 1:
		v.Tone, v.Banner = print.Vouched, "Set up a second one: who loses the only factor waits for the help desk."
	}
	if x.Challenge != "" && x.Begun {
		v.Buttons = append(v.Buttons, button{Button: "Go on with the sign-in", Action: ChallengePath + x.Challenge, Hidden: do("enrolled"), Primary: true})
	}
	if strong > 0 && x.Kind == mfa.Own {
		text := "Make recovery codes"
		if codes {
			text = "Make new recovery codes; the old ones end"
		}
		v.Buttons = append(v.Buttons, button{Button: text, Hidden: do("codes")})
	}
	v.Buttons = append(v.Buttons, button{Button: "Done", Hidden: do("leave")})
	if fault != nil {
		e, ok := errors.AsType[*problem.Error](fault)
		if !ok || e.Kind == problem.Internal || e.Kind == problem.Unavailable {
			return fault
		}
		v.Tone, v.Banner, v.BannerHint = print.Bad, print.Ended(print.Sentence(e.Public)), print.Ended(print.Sentence(e.Hint))
	}
	return p.show(w, v)
}

// newApp shows the picture for an authenticator app; fault is what was wrong with its
// first passcode.
func (p *Pages) newApp(w http.ResponseWriter, r *http.Request, x *mfa.Session, person *mfa.Person, fault error) error {
	ask := p.d.Store.AskPasscodes
	if fault != nil {
		ask = p.d.Store.Asked
	}
	set, err := ask(r.Context(), x, person)
	if err != nil {
		return err
	}
	v := &view{Title: "Set up an authenticator app", Sub: "Any app for passcodes of 30 seconds will do: on a phone, or partnerguard otp on a computer.",
		Key: grouped(set.Key), WaysHead: "Or", Ways: []way{{"Back to your factors", OwnPath}},
		Form: &form{Button: "Set it up", Hidden: do("app"), Fields: []field{
			{Name: "code", Label: "Passcode that the app shows", Mode: "numeric", Code: true, Required: true, Focus: true, Judged: true, Max: 12,
				Complete: "one-time-code"},
			{Name: "label", Label: "What you call it", Value: "Authenticator app", Max: 60, Complete: "off"}}}}
	if v.Picture, err = picture(set.URI); err != nil {
		return err
	}
	if fault != nil {
		if err := v.faulted(fault); err != nil {
			return err
		}
	}
	return p.show(w, v)
}

// grouped is a key in groups of four, as people read it. It is shown once, to whom it is for.
func grouped(key secret.Text) (out string) {
	for i, c := range key.Reveal() {
		if i > 0 && i%4 == 0 {
			out += " "
		}
		out += string(c)
	}
	return out
}

func (p *Pages) newKey(w http.ResponseWriter, r *http.Request, x *mfa.Session, person *mfa.Person, fault error) error {
	options, err := p.d.Store.AskNewKey(r.Context(), x, person)
	if err != nil {
		return err
	}
	f := keyForm("key", options, "Set up the key")
	f.Fields = []field{{Name: "label", Label: "What you call it", Value: "Security key", Max: 60, Complete: "off"}}
	v := &view{Title: "Set up a security key", Sub: "Insert or hold the key, or use the passkey of this device. It asks for its PIN or your fingerprint.",
		Form: f, WaysHead: "Or", Ways: []way{{"Back to your factors", OwnPath}}}
	if fault != nil {
		if err := v.faulted(fault); err != nil {
			return err
		}
	}
	return p.show(w, v)
}

// made says that a factor is set up, and shows recovery codes once.
func (p *Pages) made(w http.ResponseWriter, x *mfa.Session, said string, codes []secret.Text) error {
	v := &view{Title: said, Tone: print.Good, Banner: "It is set up."}
	if len(codes) > 0 {
		v.Banner = ""
		v.Sub = "Write these recovery codes down and keep them where you keep papers, not in your mailbox. Each opens once, " +
			"when nothing else is at hand. They are not shown again."
		for _, c := range codes {
			v.Codes = append(v.Codes, c.Reveal()) // to whom they are for, once
		}
	}
	if x.Challenge != "" {
		v.Buttons = append(v.Buttons, button{Button: "Go on with the sign-in", Action: ChallengePath + x.Challenge, Hidden: do("enrolled"), Primary: true})
	}
	v.WaysHead, v.Ways = "Or", []way{{"Your factors", OwnPath}}
	return p.show(w, v)
}

func (p *Pages) ownDo(w http.ResponseWriter, r *http.Request) error {
	f, err := sent(r, "do", "login", "kind", "code", "label", "factor", "response")
	if err != nil {
		return err
	}
	switch f["do"] {
	case "enter":
		return p.enterCode(w, r, f)
	case "ask-key":
		return p.askKey(w, r, nil)
	case "enter-key":
		return p.enterKey(w, r, f)
	}
	x, person, err := p.d.Store.Session(r.Context(), p.cookie(r, ownCookie))
	if err != nil {
		if errors.Is(err, problem.Unauthenticated) {
			http.Redirect(w, r, OwnPath, http.StatusSeeOther)
			return nil
		}
		return err
	}
	return p.change(w, r, &x, &person, f)
}

// change does what a session's person asked for.
func (p *Pages) change(w http.ResponseWriter, r *http.Request, x *mfa.Session, person *mfa.Person, f map[string]string) error {
	ctx, store := r.Context(), p.d.Store
	switch f["do"] {
	case "app":
		made, codes, err := store.AddPasscodes(ctx, x, f["label"], secret.New(f["code"]))
		if err != nil {
			if errors.Is(err, problem.Forbidden) {
				return p.newApp(w, r, x, person, err)
			}
			return p.list(w, r, x, person, err)
		}
		return p.made(w, x, made.Label+" is set up", codes)
	case "key":
		made, codes, err := store.AddKey(ctx, x, person, f["label"], []byte(f["response"]))
		if err != nil {
			if errors.Is(err, problem.Forbidden) {
				return p.newKey(w, r, x, person, err)
			}
			return p.list(w, r, x, person, err)
		}
		return p.made(w, x, made.Label+" is set up", codes)
	case "codes":
		codes, err := store.MakeCodes(ctx, x)
		if err != nil {
			return p.list(w, r, x, person, err)
		}
		return p.made(w, x, "New recovery codes", codes)
	case "remove":
		if _, err := store.Remove(ctx, x, f["factor"]); err != nil {
			return p.list(w, r, x, person, err)
		}
	case "leave":
		if err := store.Leave(ctx, x); err != nil {
			return err
		}
		p.dropCookie(w, ownCookie)
		return p.show(w, &view{Title: "Done", Tone: print.Good, Banner: "You can close this page."})
	default:
		return problem.New(problem.Usage, "the page has no such button").WithHint("load it again")
	}
	http.Redirect(w, r, OwnPath, http.StatusSeeOther)
	return nil
}

// enterCode takes a code with a name. The name says whose factors are held against the
// code, and proves nothing; one that nobody has is refused like a wrong code.
func (p *Pages) enterCode(w http.ResponseWriter, r *http.Request, f map[string]string) error {
	kind := mfa.Kind(f["kind"])
	if kind != mfa.TOTP && kind != mfa.Recovery && kind != mfa.Pass {
		return problem.New(problem.Usage, "this page does not take a %.20q", f["kind"]).WithHint("load it again")
	}
	person, err := p.d.Store.Find(r.Context(), f["login"])
	var shown mfa.Shown
	switch {
	case errors.Is(err, problem.NotFound) || errors.Is(err, problem.Usage) || err == nil && person.State != mfa.Active:
		err = p.d.Store.ShowNobody(r.Context(), f["login"], mfa.Source(r), kind, secret.New(f["code"]))
	case err == nil:
		shown, err = p.d.Store.ShowCode(r.Context(), p.try(r, &person), kind,
			secret.New(f["code"]))
	}
	if err != nil {
		v := p.enter(f["login"], kind)
		if err := v.faulted(err); err != nil {
			return err
		}
		return p.show(w, v)
	}
	return p.entered(w, r, shown)
}

func (p *Pages) entered(w http.ResponseWriter, r *http.Request, shown mfa.Shown) error {
	x, browser, err := p.d.Store.BeginOwn(r.Context(), shown)
	if err != nil {
		return err
	}
	p.know(w, r, &shown.Person)
	p.setCookie(w, ownCookie, browser, x.Ends.Sub(p.d.Now()))
	http.Redirect(w, r, OwnPath, http.StatusSeeOther)
	return nil
}

// try is an answer at the own page.
func (p *Pages) try(r *http.Request, person *mfa.Person) mfa.Try {
	return mfa.Try{Person: *person, Source: mfa.Source(r), Known: p.cookie(r, knownPrefix+person.ID), What: mfa.OwnPage}
}

// askKey asks for a key that knows whose it is.
func (p *Pages) askKey(w http.ResponseWriter, r *http.Request, fault error) error {
	c, err := p.d.Store.AskKey(r.Context(), nil)
	if err != nil {
		return err
	}
	if err := p.ask(w, r, c); err != nil {
		return err
	}
	v := &view{Title: "Use your security key", Sub: "A key or passkey that knows your account opens your factors.",
		Form: keyForm("enter-key", c.Options, "Use the key"), WaysHead: "Or", Ways: []way{{"Show something else", OwnPath}}}
	if fault != nil {
		if err := v.faulted(fault); err != nil {
			return err
		}
	}
	return p.show(w, v)
}

func (p *Pages) enterKey(w http.ResponseWriter, r *http.Request, f map[string]string) error {
	kept := p.taken(r)
	p.dropCookie(w, askCookie)
	person, err := p.d.Store.Whose(r.Context(), []byte(f["response"]))
	var shown mfa.Shown
	if err == nil {
		shown, err = p.d.Store.ShowKey(r.Context(), p.try(r, &person), kept,
			[]byte(f["response"]))
	}
	if err != nil {
		return p.askKey(w, r, err)
	}
	return p.entered(w, r, shown)
}
