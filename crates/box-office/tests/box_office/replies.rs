//! Callers in threads of their own, as HTTP workers are: each gets its own outcome, whatever becomes of the others' runtimes.

use super::*;

/// Runs this in a thread with a runtime of its own, which ends with it.
fn apart<F: Future<Output = ()>>(callers: impl FnOnce() -> F + Send + 'static) -> std::thread::JoinHandle<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(callers()))
}

/// Submits these at once, and checks what each hears.
async fn call(office: Arc<BoxOffice>, ids: std::ops::Range<i64>) {
    let calls = ids.map(|id| {
        let office = Arc::clone(&office);
        (id, tokio::spawn(async move { office.submit(confirm(id)).await }))
    });
    for (id, call) in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok(answer(id)), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn callers_of_several_threads_get_their_own_outcomes() {
    let world = World::new(&Plan::default(), never_fails);
    world.open_gate(MANY);
    let threads = [1..200, 200..600, 600..900].map(|ids| {
        let office = Arc::clone(&world.office);
        apart(move || call(office, ids))
    });
    call(Arc::clone(&world.office), 900..1000).await;
    for thread in threads {
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_thread_that_has_gone_takes_no_reply_of_others_with_it() {
    let mut world = World::new(&Plan::default(), never_fails);
    let office = Arc::clone(&world.office);
    let (leave, left) = tokio::sync::oneshot::channel();
    let gone = apart(move || async move {
        // Its runtime ends with the call still under way.
        tokio::spawn(async move { office.submit(confirm(1)).await });
        left.await.unwrap();
    });
    assert_eq!(world.next_batch().await, [1]);
    leave.send(()).unwrap();
    tokio::task::spawn_blocking(|| gone.join().unwrap()).await.unwrap();
    let here = world.submit(2);
    world.open_gate(MANY);
    assert_eq!(here.await.unwrap(), Ok(confirmed(2)));
}

/// A worker that has died is started anew, maybe in the thread that it was in.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_thread_whose_runtime_is_a_new_one_gets_its_replies() {
    let world = World::new(&Plan::default(), never_fails);
    world.open_gate(MANY);
    let office = Arc::clone(&world.office);
    let thread = std::thread::spawn(move || {
        for id in [1, 2] {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            assert_eq!(runtime.block_on(office.submit(confirm(id))), Ok(confirmed(id)));
        }
    });
    tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
}
