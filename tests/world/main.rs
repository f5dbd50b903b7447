//! Whole networks in virtual time: several sites, phones and carriers on lines that may be bad, one clock and one seed.
//!
//! One scenario a file, named as the sentence that it shows. `support/` is the ground that they stand on. A failure prints its
//! seed and the ladder of messages up to it. With `HOTDESK_SHARDS=3` every site runs three shards, and nobody may notice.

mod reference;
mod support;

mod a_break_out_call_leaves_by_the_other_sites_trunk;
mod a_call_and_a_registration_may_arrive_at_any_shard;
mod a_call_counts_until_it_ends;
mod a_call_ends_even_when_its_bye_is_lost;
mod a_call_may_overtake_the_answer_to_a_login;
mod a_cancel_may_cross_the_200;
mod a_full_trunk_gives_way_to_the_next;
mod a_login_at_a_third_site_displaces_the_second;
mod a_login_at_another_site_takes_the_calls_there;
mod a_logout_brings_the_parked_phone_back;
mod a_newer_login_may_overtake_the_answer_to_an_older;
mod a_phone_behind_nat_is_reached_by_its_flow;
mod a_phone_is_told_that_it_lost_its_user;
mod a_phone_registers_and_is_called;
mod a_phone_too_many_takes_the_place_of_the_oldest;
mod a_phone_watches_its_registrations;
mod a_proof_of_a_call_that_is_not_up_opens_no_trunk;
mod a_replayed_link_datagram_is_refused;
mod a_site_may_turn_visitors_away;
mod a_site_that_does_not_answer_is_unreachable_in_that_very_call;
mod a_thousand_logins_and_calls_end_as_the_reference_model_says;
mod a_user_has_as_many_calls_as_the_profile_allows;
mod a_visitor_calls_a_visitor_at_his_own_home;
mod a_visitor_dials_out_by_the_visited_sites_trunk;
mod a_visitor_outlives_a_cut;
mod an_answer_waits_for_the_store;
mod an_emergency_number_behind_break_out_is_dialled_here;
mod answers_and_demands_of_registration_by_the_letter;
mod every_phone_of_a_displaced_stay_is_kept_out;
mod lost_and_doubled_datagrams_change_nothing;
mod requests_inside_a_call_reach_the_other_side;
mod sites_clocks_may_differ;
mod trouble_further_on_is_told_to_the_caller;
mod trouble_here_passes;
mod trouble_in_a_request_is_named;
mod trouble_with_a_number_says_what_is_wrong;
mod trouble_with_a_registration_says_why;
mod two_phones_of_a_user_log_in_at_once;
mod what_was_confirmed_outlives_the_process;
mod who_may_call_and_who_may_not;
mod who_may_watch_whom;
