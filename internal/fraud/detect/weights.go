package detect

import "math"

// Signal is a sign by its name; its weight and meaning stand in Weights.
type Signal string

// The signs of what is made.
const (
	sigRate     Signal = "rate"
	sigRegion   Signal = "newRegion"
	sigSpread   Signal = "manyRegions"
	sigGPU      Signal = "newGPU"
	sigCores    Signal = "manyCores"
	sigType     Signal = "firstType"
	sigMass     Signal = "mass"
	sigMoney    Signal = "money"
	sigRefused  Signal = "quotaRefused"
	sigQuota    Signal = "quotaRaised"
	sigBlinding Signal = "guardsRemoved"
)

// The signs of who makes it.
const (
	sigCaller     Signal = "newCaller"
	sigGrant      Signal = "rightGiven"
	sigGiver      Signal = "giverUnusual"
	sigElevate    Signal = "elevated"
	sigCredential Signal = "newCredential"
	sigNetwork    Signal = "newNetwork"
	sigCountry    Signal = "newCountry"
	sigRisk       Signal = "riskySignIn"
	sigMFA        Signal = "proofsChanged"
	sigHour       Signal = "unusualHour"
	sigTaint      Signal = "sameCause"
	sigFamiliar   Signal = "familiar"
)

// The signs of use.
const (
	sigJump      Signal = "costJump"
	sigUseGPU    Signal = "useOfGPU"
	sigUseRegion Signal = "useInNewRegion"
	sigUseSpread Signal = "useStartsEverywhere"
	sigUseCores  Signal = "useOfManyCores"
	sigUseType   Signal = "useOfFirstType"
	sigAbsolute  Signal = "muchMoney"
	sigLone      Signal = "computeAlone"
	sigPersists  Signal = "persists"
	sigSlow      Signal = "slowGrowth"
	sigNewMeters Signal = "growthIsNew"
	sigOrganic   Signal = "grewBefore"
	sigStopped   Signal = "growthEnded"
	sigKnownWork Signal = "madeByFamiliar"
	sigAct       Signal = "actsBefore"
)

// Weight is how much a sign weighs at most, and what it is.
type Weight struct {
	Signal  Signal
	Most    float64 // log-odds; negative speaks for a legitimate deployment
	Meaning string
}

// Weights are all signs. A sign weighs less where the history is short, and where the like was
// seen before.
func Weights() []Weight {
	return []Weight{
		{sigRate, 2.8, "machines were made faster than ever here: 6 an hour 0.6, 10 1.2, 30 1.7, 100 2.2; 0.6 more by a caller who is new"},
		{sigRegion, 3.4, "machines in regions where nothing ran in 90 days: one 0.8, two 1.8, three 2.6, five 3.4"},
		{sigSpread, 2, "machines in three or more regions within six hours"},
		{sigGPU, 1.5, "machines with GPUs, which were never here"},
		{sigCores, 0.8, "machines of 32 cores or more, larger than any here"},
		{sigType, 1, "a kind of computing that was never here"},
		{sigMass, 3, "what was made costs a multiple of what is usual: three times 0.7, ten times 1.5, thirty times 2.3, a hundred times 3"},
		{sigMoney, 2, "what was made costs much by itself: from 2,000 dollars a day"},
		{sigRefused, 2.5, "refused for want of quota or of the size, in several regions"},
		{sigQuota, 2.4, "quotas were to be raised in the week before"},
		{sigBlinding, 1.5, "locks, alerts, diagnostics or policies were taken away in the three days before"},
		{sigCaller, 1.5, "the caller was never seen at this customer before"},
		{sigGrant, 1.2, "the caller got a strong right in the three days before"},
		{sigGiver, 1.2, "who gave the right or the credential did it from an unusual place"},
		{sigElevate, 1.5, "a Global Administrator took all subscriptions in the three days before"},
		{sigCredential, 1.4, "the app got a new credential or consent in the week before"},
		{sigNetwork, 1.5, "the caller never came from this network before"},
		{sigCountry, 2.2, "the caller never came from this country before"},
		{sigRisk, 2, "Microsoft held a sign-in of the caller for risky"},
		{sigMFA, 1.2, "the caller's proofs of identity were changed in the three days before"},
		{sigHour, 0.7, "at an hour at which the caller was never active"},
		{sigTaint, 3.5, "the caller is the one of a finding at another subscription"},
		{sigFamiliar, -2, "the caller has been active here on ten days or more"},
		{sigJump, 4.8, "a day's cost over the usual band, by the logarithm of how much"},
		{sigUseGPU, 1.5, "GPUs are used, which were never here"},
		{sigUseRegion, 3.4, "computing is used in regions where none was: as newRegion"},
		{sigUseSpread, 1.5, "the same size starts in three or more regions at once"},
		{sigUseCores, 0.8, "machines of 32 cores or more are used, larger than any here"},
		{sigUseType, 0.8, "a kind of computing is used that was never here"},
		{sigAbsolute, 2, "the cost above the usual is much by itself: from 300 dollars a day"},
		{sigLone, 1.5, "computing grows, and nothing else does; negative where all grows"},
		{sigPersists, 1, "it has stayed for days"},
		{sigSlow, 4, "computing grew in small steps, by the logarithm of how much"},
		{sigNewMeters, 1.2, "what grew is of sizes or regions that were not here"},
		{sigOrganic, -1.5, "it grew at this pace before"},
		{sigStopped, -1.5, "it grows no more"},
		{sigKnownWork, -2.5, "somebody familiar made what is used, and the Activity Log shows it"},
		{sigAct, 1.6, "acts that were unusual came before it"},
	}
}

// grade is a weight by steps: each is a value and what it weighs from there on.
func grade(x float64, steps ...[2]float64) (w float64) {
	for _, s := range steps {
		if x >= s[0] {
			w = s[1]
		}
	}
	return w
}

// Steps of weights.
var (
	byRegions = [][2]float64{{1, 0.8}, {2, 1.8}, {3, 2.6}, {5, 3.4}}
	byMass    = [][2]float64{{3, 0.7}, {10, 1.5}, {30, 2.3}, {100, 3}}
)

// trust is how much a history of so many days says about what was never here: nothing in the
// first three days, all from 14 on.
func trust(days float64) float64 { return min(1, max(0, (days-3)/11)) }

// round keeps two digits behind the point.
func round(x float64) float64 { return math.Round(x*100) / 100 }
