package assess

import (
	"slices"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/vouch"
)

// Bench judges rows that are no requirements of the rule book with the care that is taken
// of those: what a verdict rests on must have been read whole and of late, and a person's
// word stands only where evidence cannot decide. Not safe for concurrent use.
type Bench struct{ a *assessor }

// NewBench makes one; the options are those of the report beside it.
func NewBench(f *facts.Facts, o Options) *Bench { return &Bench{newAssessor(f, o)} }

// Ruling is what a judge says of a row. It means what a judge of the rule book's means by
// it: Relies are lists that were read to their ends or the verdict is unknown, Heeds are
// lists that could only speak against it, so that half of one will not do. Against says of
// an unknown that something read speaks against it, which nobody's word outweighs.
type Ruling struct {
	Verdict         Verdict
	Reason          string
	Affected, Total int
	Action          string // of an unknown: the one request that settles it
	Evidence        []Evidence
	Relies, Heeds   []evidence.Kind
	Against         bool
	By, Until       string // of [Attested]: who vouches, until when
}

// Row settles a ruling under a rule.
func (b *Bench) Row(rule *partner.Rule, judge func() Ruling, attestable bool) Requirement {
	return b.a.settle(rule, func(*assessor) ruling {
		r := judge()
		return ruling{verdict: r.Verdict, reason: r.Reason, affected: r.Affected, total: r.Total, action: r.Action, evidence: slices.Clone(r.Evidence),
			relies: r.Relies, heeds: r.Heeds, against: r.Against, by: r.By, until: r.Until}
	}, attestable)
}

// Extent says how much of a kind was read, by the kind itself and by the log.
func (b *Bench) Extent(k evidence.Kind) evidence.Extent { return b.a.extent(k) }

// Statements are the statements about what keep takes, with what came of them so far.
func (b *Bench) Statements(keep func(requirement string) bool) []Vouch {
	out := []Vouch{}
	for i := range b.a.vouches {
		if v := &b.a.vouches[i]; v.Kind == string(vouch.Attestation) && keep(v.Requirement) {
			out = append(out, *v)
		}
	}
	return out
}

// Proof is what the settings prove of a built-in question; nil where they are not known.
func (b *Bench) Proof(question string) *access.Proof { return b.a.proof(question) }

// Gaps shows the gaps of a proof.
func (b *Bench) Gaps(p *access.Proof) []Evidence { return b.a.gapEvidence(p) }

// At is the moment at which a list is to be looked at: what it promises for later it may
// not have kept.
func (b *Bench) At(k evidence.Kind) time.Time { return b.a.ages.At(k, b.a.o.AsOf) }

// Accounts are the accounts that were judged, the unmet ones first.
func (b *Bench) Accounts() []Account { return b.a.accounts }
