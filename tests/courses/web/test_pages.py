"""The institution's course pages."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from support.people import Browser
from support.school import School, new_school

from courses.models import Course, Film, FilmState, Lesson
from courses.services import uploads
from xueji.kernel.context import Context


@pytest.fixture
def browser(app: Flask, school: School) -> Browser:
    browser = Browser(app)
    browser.sign_in(school.head.who)
    return browser


def lessons(school: School) -> list[Lesson]:
    with school.context.database.reading() as session:
        return list(session.scalars(select(Lesson).order_by(Lesson.position)))


def test_a_course_is_made_filled_and_ordered(school: School, browser: Browser) -> None:
    assert "还没有课程" in browser.get("/courses").text
    assert browser.post("/courses", {"title": " ", "summary": ""}).status_code == 422
    made = browser.post("/courses", {"title": "有限空间作业", "summary": "先通风"})
    path = made.headers["Location"]
    assert "还没有课时" in browser.get(path).text
    assert browser.post(f"{path}/lessons", {"title": "", "part": "theory"}, look=path).status_code == 422
    for title, part in (("通风", "theory"), ("救援", "practical")):
        browser.post(f"{path}/lessons", {"title": title, "part": part}, look=path)
    first, second = lessons(school)
    page = browser.get(path).text
    assert page.count("data-upload ") == 1, "a practical lesson takes no film"
    browser.post(f"/lessons/{second.id}/move", {"to": "1"}, look=path)
    assert [lesson.title for lesson in lessons(school)] == ["救援", "通风"]
    browser.post(path, {"about-title": "新名称", "about-summary": ""}, look=path)
    assert "新名称" in browser.get("/courses").text
    edit = f"/lessons/{first.id}/edit"
    film_id = school.film()
    browser.post(edit, {"title": "通风与检测", "part": "theory", "film_id": str(film_id)})
    assert lessons(school)[1].film_id == film_id
    browser.post(f"/lessons/{first.id}/remove", look=path)
    assert [lesson.title for lesson in lessons(school)] == ["救援"]


def test_what_a_lost_tab_left_is_listed_and_given_up(app: Flask, school: School, browser: Browser) -> None:
    lesson, events, actor = school.lesson(), school.context.events, school.head.actor
    with school.context.database.writing() as session:
        upload = uploads.begin_upload(
            session, actor=actor, events=events, name="通风.mp4", size=200, limit=1000, lesson_id=lesson.id
        )
    digest = uploads.store_piece(school.context.store, upload, offset=0, piece=b"x" * 50)
    with school.context.database.writing() as session:
        uploads.count_piece(session, upload_id=upload.id, offset=0, size=50, digest=digest)
    path = f"/courses/{lesson.course_id}"
    page = browser.get(path).text
    assert "没有传完的视频" in page and "通风.mp4" in page and "已收到 25%" in page
    stranger = new_school(school.context)
    other = Browser(app)
    other.sign_in(stranger.head.who)
    assert "通风.mp4" not in other.get(f"/courses/{stranger.lesson().course_id}").text
    browser.post(f"{path}/uploads/{upload.id}/give-up", look=path)
    assert "没有传完的视频" not in browser.get(path).text
    assert list(school.context.store.list("uploads/")) == []


def test_a_refused_change_is_said_on_the_form(school: School, browser: Browser) -> None:
    lesson = school.lesson()
    school.cohort(lesson)
    edit = f"/lessons/{lesson.id}/edit"
    refused = browser.post(edit, {"title": "新", "part": "theory", "film_id": ""})
    assert refused.status_code == 409
    assert "课时正在使用" in refused.text
    strange = browser.post(edit, {"title": "新", "part": "theory", "film_id": str(new_school(school.context).film())})
    assert strange.status_code == 422
    assert lessons(school)[0].film_id == lesson.film_id
    assert lessons(school)[0].title == lesson.title


def test_a_refused_film_says_why(school: School, browser: Browser) -> None:
    lesson = school.lesson(None)
    film_id = school.film(state=FilmState.QUEUED)
    with school.context.database.writing() as session:
        from courses.models import Film

        film = session.get_one(Film, film_id)
        film.state, film.refused_reason = FilmState.REFUSED, "no_video"
        session.get_one(Lesson, lesson.id).film_id = film_id
    assert "文件里没有画面" in browser.get(f"/courses/{lesson.course_id}").text


def test_another_institutions_courses_are_not_found(app: Flask, context: Context, school: School) -> None:
    lesson = school.lesson()
    stranger = Browser(app)
    stranger.sign_in(new_school(context).head.who)
    course = f"/courses/{lesson.course_id}"
    assert stranger.get(course).status_code == 404
    assert stranger.get(f"/lessons/{lesson.id}/edit").status_code == 404
    for path, data in (
        (f"{course}/lessons", {"title": "x", "part": "theory"}),
        (course, {"about-title": "x", "about-summary": ""}),
        (f"/lessons/{lesson.id}/move", {"to": "1"}),
        (f"/lessons/{lesson.id}/remove", {}),
    ):
        assert stranger.post(path, data, look="/courses").status_code == 404
    with school.context.database.reading() as session:
        assert session.get_one(Course, lesson.course_id).title == "有限空间作业"


def test_a_title_is_shown_as_it_was_written(school: School, browser: Browser) -> None:
    browser.post("/courses", {"title": "<img src=x onerror=alert(1)>", "summary": "{{ 7*7 }}"})
    page = browser.get("/courses").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_what_is_odd_about_a_film_and_how_it_looks_are_shown_where_it_is_taught(
    school: School, browser: Browser
) -> None:
    lesson = school.lesson()
    cohort = school.cohort(lesson)
    with school.context.database.writing() as session:
        film = session.get_one(Film, lesson.film_id)
        film.remarks, film.has_strip = ["almost_still", "picture_held", "silent"], True
    for path in (f"/courses/{lesson.course_id}", f"/cohorts/{cohort.id}"):
        page = browser.get(path).text
        assert f"/media/{lesson.film_id}/strip.jpg" in page
        assert "画面几乎不变" in page
        assert "没有声音。" in page
