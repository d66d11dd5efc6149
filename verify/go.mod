module partnerguard/verify

go 1.26.0
