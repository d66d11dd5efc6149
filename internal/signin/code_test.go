package signin

import (
	"slices"
	"testing"

	"partnerguard/internal/entra"
)

// bucketWords name the judge's buckets.
var bucketWords = map[bucket]string{
	otherFailure: "another failure", mfaPrompt: "an MFA prompt", enrolmentPrompt: "a prompt to enrol", otherPrompt: "another prompt",
	mfaFailure: "failed MFA", externalFailure: "a failed external provider", policyBlock: "a block by policy", defaultsBlock: "a block by security defaults",
	credentialFailure: "a wrong credential", tokenFailure: "a dead token", consentFailure: "missing consent",
}

// TestJudgeAndClientBelieveTheSameOfCodes compares two readings that are not
// shared on purpose: what a code proves of a logged sign-in, here, and what
// entra says it means to an administrator, which the client acts on.
func TestJudgeAndClientBelieveTheSameOfCodes(t *testing.T) {
	t.Parallel()
	agree := map[bucket][]entra.Bucket{
		mfaPrompt: {entra.BucketMFA}, enrolmentPrompt: {entra.BucketEnrolment}, mfaFailure: {entra.BucketMFA}, externalFailure: {entra.BucketMFA},
		otherPrompt: {entra.BucketMFA, entra.BucketPolicy}, // someone must come back, or the device must prove itself
		policyBlock: {entra.BucketPolicy}, defaultsBlock: {entra.BucketPolicy}, credentialFailure: {entra.BucketAccount}, tokenFailure: {entra.BucketToken},
		consentFailure: {entra.BucketConsent, entra.BucketAccess, entra.BucketApp},
	}
	// What the judge has no bucket for means one of these to the client: nothing
	// about MFA, policy or enrolment, which a verdict would have to know.
	plain := []entra.Bucket{
		entra.BucketTransient, entra.BucketClock, entra.BucketToken, entra.BucketAccount, entra.BucketAccess, entra.BucketConsent,
		entra.BucketCredential, entra.BucketApp, entra.BucketTenant, entra.BucketRequest,
	}
	for _, c := range entra.Codes() {
		judged, meant := bucketOf(int32(c.Code)), c.Meaning.Bucket
		if meant == "" { // we have no words for it
			continue
		}
		want := agree[judged]
		if judged == otherFailure {
			want = plain
		}
		if !slices.Contains(want, meant) {
			t.Errorf("AADSTS%d is %s to the judge and %q to the client", c.Code, bucketWords[judged], meant)
		}
	}
}

// TestJudgeUnderstandsWhatIsAnswered holds the judge to what Entra ID itself says
// with a code: an answer that sends the person to a prompt is no refusal.
func TestJudgeUnderstandsWhatIsAnswered(t *testing.T) {
	t.Parallel()
	for _, c := range entra.Codes() {
		judged := bucketOf(int32(c.Code))
		prompt := judged == mfaPrompt || judged == enrolmentPrompt
		if asks := c.Answer.Word == "interaction_required" && c.Answer.Sub == "basic_action"; asks != prompt && c.Answer.Word != "" {
			t.Errorf("AADSTS%d is answered with %s %s, and is %s to the judge", c.Code, c.Answer.Word, c.Answer.Sub, bucketWords[judged])
		}
	}
}
