package pages

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"partnerguard/internal/mfa"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// opened finds the challenge of a request.
func (p *Pages) opened(r *http.Request) (*mfa.Open, error) {
	id := r.PathValue("id")
	o, err := p.d.Store.Opened(r.Context(), id, p.cookie(r, challengeCookie(id)))
	return &o, err
}

func (p *Pages) challenge(w http.ResponseWriter, r *http.Request) error {
	o, err := p.opened(r)
	if err != nil {
		return err
	}
	return p.asks(w, r, o, mfa.Kind(r.URL.Query().Get("use")), nil)
}

// facts are what a person compares with what they did: who asks, for whom, from where.
func (p *Pages) facts(o *mfa.Open) []fact {
	list := []fact{{"Organisation", cmp.Or(o.Where, o.Account.Tenant), ""}, {"Account", cmp.Or(o.Login, o.Name, o.Account.Object), ""},
		{"Asked by", "Microsoft Entra ID", "for a sign-in that was begun with the account's password or key"}}
	ago := ""
	if d := p.d.Now().Sub(o.Asked); d >= time.Minute {
		ago = print.Plural(int64(d.Minutes()), "minutes") + " ago"
	}
	return append(list, fact{"When", o.Asked.UTC().Format("15:04:05 UTC, 2 January"), ago}, fact{"From", cmp.Or(o.Source, "not known"), ""})
}

// kindsOf are the ways to answer, the most wanted first.
func kindsOf(o *mfa.Open) (out []mfa.Kind) {
	for _, k := range append(mfa.Kinds(), mfa.Pass) {
		if o.Has(k) {
			out = append(out, k)
		}
	}
	// What Entra ID wants most stands first.
	slices.SortStableFunc(out, func(a, b mfa.Kind) int {
		return cmp.Compare(slices.Index(o.Accept, a.AMR()), slices.Index(o.Accept, b.AMR()))
	})
	return out
}

var headings = map[mfa.Kind]string{mfa.TOTP: "Enter your passcode", mfa.Key: "Use your security key", mfa.Recovery: "Enter a recovery code",
	mfa.Pass: "Enter your temporary pass"}

// codeForm is the form of a code.
func codeForm(k mfa.Kind) *form {
	f := field{Name: "code", Required: true, Focus: true, Judged: true, Max: 64, Complete: "off"}
	switch k {
	case mfa.TOTP:
		f.Label, f.Mode, f.Code, f.Max, f.Complete = "Passcode", "numeric", true, 12, "one-time-code"
		f.Hint = "the digits that your authenticator app shows now"
	case mfa.Recovery:
		f.Label, f.Hint = "Recovery code", "one of the ten that you wrote down; each is good once"
	case mfa.Pass:
		f.Label, f.Hint = "Temporary pass", "your help desk gave it to you; it is good once"
	}
	return &form{Button: "Go on", Hidden: do(string(k)), Fields: []field{f}}
}

// keyForm is the form that the script sends.
func keyForm(what string, options []byte, button string) *form {
	return &form{Button: button, Options: string(options), Hidden: do(what, hidden{"response", ""})}
}

// asks writes the page of a challenge; fault is what was wrong with the last answer.
func (p *Pages) asks(w http.ResponseWriter, r *http.Request, o *mfa.Open, use mfa.Kind, fault error) error {
	v := &view{Title: "A second factor, please", Facts: p.facts(o), NotMe: cmp.Or(o.Where, "Microsoft")}
	kinds := kindsOf(o)
	switch {
	case o.Late:
		v.Title, v.Tone, v.Banner, v.NotMe = "It is too late for this", print.Doubt,
			"The five minutes that Microsoft Entra ID waits are over. Begin the sign-in again.", ""
		v.Buttons = []button{{Button: "Back to Microsoft", Hidden: do("late"), Primary: true}}
		return p.show(w, v)
	case len(kinds) == 0:
		p.nothing(o, v)
		if fault != nil {
			v.status = web.Status(fault)
		}
		return p.show(w, v)
	case !slices.Contains(kinds, use):
		use = kinds[0]
	}
	v.Title = headings[use]
	if use == mfa.Key {
		options, err := p.d.Store.AskKeyFor(r.Context(), o)
		if err != nil {
			return err
		}
		v.Form = keyForm(string(mfa.Key), options, "Use the key")
	} else {
		v.Form = codeForm(use)
	}
	for _, k := range kinds {
		if k != use {
			v.WaysHead = "Other ways"
			v.Ways = append(v.Ways, way{print.Sentence(k.Word()), "?use=" + string(k)})
		}
	}
	if fault != nil {
		if err := v.faulted(fault); err != nil {
			return err
		}
	}
	return p.show(w, v)
}

// nothing is the page of who has no factor that may answer.
func (p *Pages) nothing(o *mfa.Open, v *view) {
	v.Tone = print.Doubt
	switch {
	case o.Person.State == mfa.Blocked:
		v.Banner, v.BannerHint = "The help desk has blocked this account's factors.", "Ask your help desk."
	case !o.Person.Had && p.d.Store.Settings().Enrol == mfa.EnrolFirst:
		v.Banner = "No second factor is set up for this account yet. Set one up now, if it is you who signs in."
		v.Buttons = []button{{Button: "Set up a second factor", Hidden: do("enrol"), Primary: true}}
	case o.Person.Had:
		v.Banner = "This account has no factor here that Microsoft Entra ID takes this time."
		v.BannerHint = "Ask your help desk for a temporary pass or a reset."
	default:
		v.Banner, v.BannerHint = "No second factor is set up for this account.", "Ask your help desk for an invitation."
	}
}

func (p *Pages) challengeAnswer(w http.ResponseWriter, r *http.Request) error {
	o, err := p.opened(r)
	if err != nil {
		return err
	}
	f, err := sent(r, "do", "code", "response")
	if err != nil {
		return err
	}
	store, known, from := p.d.Store, p.cookie(r, knownPrefix+o.Person.ID), mfa.Source(r)
	var shown mfa.Shown
	switch k := mfa.Kind(f["do"]); k {
	case mfa.TOTP, mfa.Recovery, mfa.Pass:
		shown, err = store.AnswerCode(r.Context(), o, k, secret.New(f["code"]), known, from)
	case mfa.Key:
		shown, err = store.AnswerKey(r.Context(), o, []byte(f["response"]), known, from)
	case "enrolled":
		x, _, serr := store.Session(r.Context(), p.cookie(r, ownCookie))
		if serr != nil {
			return serr
		}
		if shown, err = store.AnswerEnrolled(r.Context(), o, &x); err == nil {
			p.dropCookie(w, ownCookie)
		}
	case "enrol":
		return p.first(w, r, o)
	case "late", "cancel", "not-me":
		return p.refuse(w, r, o, string(k))
	default:
		return problem.New(problem.Usage, "the page has no such button").WithHint("load it again")
	}
	if err != nil {
		if errors.Is(err, problem.Conflict) { // too late, meanwhile
			if again, oerr := p.opened(r); oerr == nil && again.Late {
				return p.asks(w, r, again, "", nil)
			}
		}
		return p.asks(w, r, o, mfa.Kind(f["do"]), err)
	}
	p.know(w, r, &shown.Person)
	return p.finish(w, r, o, mfa.Outcome{AMR: shown.Kind.AMR()})
}

// refuse ends a challenge without a factor.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, o *mfa.Open, how string) error {
	out := mfa.Outcome{Error: "access_denied", Why: "the person gave up"}
	switch {
	case how == "not-me":
		out.Why = "the person said that it was not them"
		if err := p.d.Store.NotMe(r.Context(), o); err != nil {
			return err
		}
	case how == "late" && o.Late:
		out.Why = "no factor was shown in time"
	}
	return p.finish(w, r, o, out)
}

// finish ends a challenge and sends the browser back to Entra ID.
func (p *Pages) finish(w http.ResponseWriter, r *http.Request, o *mfa.Open, out mfa.Outcome) error {
	if p.answer == nil {
		return problem.New(problem.Unavailable, "nobody here answers Microsoft Entra ID").WithHint("begin the sign-in again")
	}
	payload, err := p.d.Store.Finish(r.Context(), o, out)
	if err != nil {
		return err
	}
	p.dropCookie(w, challengeCookie(o.ID))
	return p.answer.Answer(w, r, o.Challenge, payload, out)
}

// first begins the set-up of who signs in and never had a factor.
func (p *Pages) first(w http.ResponseWriter, r *http.Request, o *mfa.Open) error {
	x, browser, err := p.d.Store.BeginFirst(r.Context(), o)
	if err != nil {
		return err
	}
	p.setCookie(w, ownCookie, browser, x.Ends.Sub(p.d.Now()))
	http.Redirect(w, r, OwnPath, http.StatusSeeOther)
	return nil
}
